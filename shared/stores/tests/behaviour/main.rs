//! One suite of behaviour for every stored thing, on each kind of table: in memory, on a file, and in memory
//! under faults (throttling, transaction conflicts, lost replies, leftovers), which must change nothing.

mod bench;
mod budgets;
mod copies;
mod crashes;
#[cfg(unix)]
mod guests;
mod links;
mod migration;
mod opening;
mod records;
mod runs;
mod seats;
mod work;

/// Runs each behaviour on each kind of table.
macro_rules! on_every_table {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                super::$name(&crate::bench::Bench::memory()).await;
            })*
        }
        mod on_a_file {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                super::$name(&crate::bench::Bench::file()).await;
            })*
        }
        mod under_faults {
            $(#[tokio::test(start_paused = true)]
            async fn $name() {
                for seed in 0..8 {
                    super::$name(&crate::bench::Bench::hostile(seed)).await;
                }
            })*
        }
    };
}
pub(crate) use on_every_table;
