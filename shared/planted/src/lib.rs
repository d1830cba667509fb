//! Rules that a test breaks on purpose, to see that the simulation finds it. In a build without the feature `switches`,
//! which is every build but one for tests, nothing is ever broken.

/// A rule that is broken while its switch is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A task whose create had no reply is not looked for before it is created again.
    ProbeSkipped,
    /// A create that is sent again carries no marker.
    MarkerLeftOut,
    /// A marker is believed on whatever task it stands.
    CopiedMarkerBelieved,
    /// A holder whose lease is over may change a link.
    FenceNotChecked,
    /// A value that is known to be a late write of ours is mirrored like anybody's.
    OwnLateMirrored,
    /// Which side won is all that counts: the loser's value is not kept.
    LastWriterWins,
    /// What moved soon after a write of ours is taken for its echo.
    EchoByTimestamp,
    /// What a record looks like at the next look is taken for what our write made of it.
    NormalFormOfLaterRead,
    /// The place in the list of changed tickets is the time of the newest one.
    CursorByTime,
    /// A poll steps on before what it read is noted.
    CursorFirst,
    /// A record is done although something was told of it meanwhile.
    WorkRowDeleted,
    /// What a delivery told is noted before the work that it asks for.
    DedupFirst,
    /// A request whose outcome is not known is repeated, whatever it does.
    RepeatsEverything,
    /// Comments that were copied are not looked for before they are copied again.
    CopiesNotLookedFor,
    /// What our own deliveries tell of overwritten values is not kept.
    OverwrittenNotKept,
    /// What the reply of a ticket's update tells of overwritten values is not kept.
    AuditIgnored,
    /// Internal comments go wherever others go.
    InternalIsPublic,
    /// What was booked of a window is used after it, too.
    BlockKept,
    /// Whoever finds that a token ended asks for a new one, though others are asking.
    RefreshAlone,
    /// A job that ended is taken to have done all that was asked of it.
    JobResultIgnored,
    /// A request that fails is sent again at once, besides the retries of those who know what the answer asks for.
    RetryInside,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 21] = [
        Bug::ProbeSkipped,
        Bug::MarkerLeftOut,
        Bug::CopiedMarkerBelieved,
        Bug::FenceNotChecked,
        Bug::OwnLateMirrored,
        Bug::LastWriterWins,
        Bug::EchoByTimestamp,
        Bug::NormalFormOfLaterRead,
        Bug::CursorByTime,
        Bug::CursorFirst,
        Bug::WorkRowDeleted,
        Bug::DedupFirst,
        Bug::RepeatsEverything,
        Bug::CopiesNotLookedFor,
        Bug::OverwrittenNotKept,
        Bug::AuditIgnored,
        Bug::InternalIsPublic,
        Bug::BlockKept,
        Bug::RefreshAlone,
        Bug::JobResultIgnored,
        Bug::RetryInside,
    ];
}

#[cfg(feature = "switches")]
mod switches {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        static ON: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether this rule is broken on this thread.
    pub fn is(bug: Bug) -> bool {
        ON.get() == Some(bug)
    }

    /// Breaks a rule on this thread for as long as this runs.
    pub fn with<T>(bug: Option<Bug>, run: impl FnOnce() -> T) -> T {
        struct Back(Option<Bug>);
        impl Drop for Back {
            fn drop(&mut self) {
                ON.set(self.0);
            }
        }
        let _back = Back(ON.replace(bug));
        run()
    }
}

#[cfg(feature = "switches")]
pub use switches::{is, with};

/// Whether this rule is broken: never, in this build.
#[cfg(not(feature = "switches"))]
#[inline(always)]
pub const fn is(_: Bug) -> bool {
    false
}
