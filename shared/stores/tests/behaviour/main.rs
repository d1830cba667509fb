//! One suite of behaviour for every stored thing, on each kind of table: in memory, on a file, in memory under
//! faults (throttling, transaction conflicts, lost replies, leftovers), which must change nothing, and on a DynamoDB
//! over the wire. Crashes, guests and migrations are those of a table in the process, and so are injected faults.

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
mod slas;
#[cfg(unix)]
mod wire;
mod work;

/// All behaviours, by name.
#[cfg(unix)]
fn behaviours() -> Vec<(&'static str, wire::Behaviour)> {
    let lists = [
        budgets::behaviours(),
        copies::behaviours(),
        links::behaviours(),
        records::behaviours(),
        runs::behaviours(),
        seats::behaviours(),
        slas::behaviours(),
        work::behaviours(),
    ];
    lists.concat()
}

/// Runs each behaviour on each kind of table.
macro_rules! on_every_table {
    ($($name:ident),* $(,)?) => {
        #[cfg(unix)]
        pub fn behaviours() -> Vec<(&'static str, crate::wire::Behaviour)> {
            vec![$((stringify!($name), |bench| Box::pin($name(bench)))),*]
        }
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
