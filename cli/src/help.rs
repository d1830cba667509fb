//! What `--help` of each command says beyond its options: an example, words that need one, exit codes.

/// Of the command itself.
pub const ALL: &str = "\
Two simulated services and no account:  deskup demo
Real accounts, for the first time:      deskup init, check, plan, run
Real accounts, every day:               deskup serve, status, conflicts,
quarantine, explain
When something is wrong:                deskup pause, resume, release

An installation is a folder: deskup.toml, credentials.toml, deskup.sqlite.
Commands work on the one named with --dir or DESKUP_DIR, else on this folder,
else on the demo in .deskup.

Exit codes: 0 done; 1 it ran and the result is not good; 2 it was asked for
what cannot be (options, settings, accounts); 3 the state cannot be used (in
use, read only, disk full, from a newer version, not a state).";

/// Of `demo`.
pub const DEMO: &str = "\
Examples:
  deskup demo                                      200 tickets, 100 edits
  deskup demo --fresh --tickets 2000 --edits 500   a bigger desk
  deskup demo --keep                               leave it running, on ports

Exit codes: 0 done, the judge found nothing; 1 the judge found faults; 2
options; 3 the state cannot be used.";

/// Of `compile`.
pub const COMPILE: &str = "\
Examples:
  deskup compile              write the definitions
  deskup compile --check      fail if a committed one differs

Exit codes: 0 done; 1 a definition is stale (--check); 2 the folder cannot be
written.";

/// Of `push`.
pub const PUSH: &str = "\
Checks deskup.toml against both accounts, then replaces what the stack works
by: the settings and what both accounts hold, in its table; the credentials,
in Secrets Manager. `deskup init --aws STACK` does the same the first time.

Examples:
  deskup push          after every change of deskup.toml or of credentials

Exit codes: 0 done; 2 settings, accounts or no stack; 3 AWS refused.";

/// Of `simulate`.
pub const SIMULATE: &str = "\
Examples:
  deskup simulate                  addresses and credentials, for a shell
  deskup simulate --dir accounts   keep both accounts in a folder

Exit codes: 0 ended by Ctrl-C; 2 options, or a port that is taken.";

/// Of `status`.
pub const STATUS: &str = "\
Converged is the share of linked pairs that wait for nothing: no record waits
to be looked at, no outcome of a write is unproven, nothing is set aside. Both
sides of such a pair hold the same by the mapping, or the difference is kept
as a conflict; how many keep one stands beside it. Pairs that are suspended
(one side is not visible) do not count as linked.

Alarms, each a line and exit code 1, for a monitoring system to call this
every few minutes:
  brake, paused    work stands still, and why
  not_running      `deskup serve` ended without being stopped
  settings         deskup.toml was changed since `deskup serve` began
  cursor           a stream was not read to its end for 10 minutes
  webhooks         for 15 minutes cursors found changes that no webhook told of
  unconfirmed      ClickUp took writes and sent no webhook that confirms them
  overdue          the outcome of writes is unknown for too long
  quarantine       records are set aside
  execution        the last execution of a workflow failed

Examples:
  deskup status
  deskup status --json | jq '.alarms'
  deskup status --watch 10

Exit codes: 0 no alarm; 1 at least one; 2 there is no state; 3 the state
cannot be used.";

/// Of `explain`.
pub const EXPLAIN: &str = "\
Examples:
  deskup explain 12
  deskup explain 12 status               everything known of one field
  deskup explain https://app.clickup.com/t/868f9p6ad title

Exit codes: 0 done; 2 there is no such record or field, or no state; 3 the
state cannot be used.";

/// Of `conflicts`.
pub const CONFLICTS: &str = "\
A conflict is a value that did not win: it is kept, and stays until somebody
applies one of both values or dismisses it. Applying goes through the same
step as every other write: a running `deskup serve` does it within seconds;
where nothing runs, this command serves the one ticket and nothing else. Newer
values are not written over unseen.

Examples:
  deskup conflicts
  deskup conflicts --ticket 12
  deskup conflicts show 12-3fa9c1
  deskup conflicts apply 12-3fa9c1 clickup   ClickUp's value goes to both sides
  deskup conflicts dismiss 12-3fa9c1         both sides stay as they are

Exit codes: 0 done (also where it was done before); 1 asked for and not done
yet (paused, a service is down); 2 it cannot be (closed ticket, read-only
field, no such conflict, not confirmed); 3 the state cannot be used.";

/// Of `quarantine`.
pub const QUARANTINE: &str = "\
A record is set aside when a service refuses it for good, or when it failed
for over an hour. All others go on. A retry puts it back, and a running deskup
looks at all of it again.

Examples:
  deskup quarantine
  deskup quarantine show 12
  deskup quarantine retry 12
  deskup quarantine retry --cause clickup_subcat_900
  deskup quarantine retry --group 3fa9c1d2   one group, by its fingerprint
  deskup quarantine retry --all

Exit codes: 0 done; 2 there is no such record or cause, or no state; 3 the
state cannot be used.";

/// Of `redrive`.
pub const REDRIVE: &str = "\
An execution that failed is started again as a new one, by the definition of
this version, with its old input. Steps whose answers were kept are not called
again. What a redrive had begun when it was ended goes on with the next one.
Records that are set aside are no executions: see `deskup quarantine`.

Examples:
  deskup redrive --show                      which failed in the last 7 days
  deskup redrive --workflow ticket-sync-sweep --error Bug --since 2d
  deskup redrive ticket-sync-sweep-7 --yes   one, and nobody is asked

Exit codes: 0 all succeeded, or there were none; 1 some did not; 2 there is no
such execution, or no state; 3 the state cannot be used.";

/// Of `checkpoints`.
pub const CHECKPOINTS: &str = "\
A stream is what is read from a service in order; its place moves on only when
all that was read is safe. Earlier versions are kept for 30 days. Going back
reads again what was read since: it costs requests, and writes only where both
sides are not in step.

Examples:
  deskup checkpoints
  deskup checkpoints history tickets
  deskup checkpoints restore tickets 41

Exit codes: 0 done; 1 the stream moved meanwhile; 2 there is no such stream or
version, or no state; 3 the state cannot be used.";

/// Of `pause`.
pub const PAUSE: &str = "\
Works on a running deskup too. Nothing is written for a paused lane, not even
what is in work already; webhooks are taken, cursors go on reading, and all of
it waits.

Examples:
  deskup pause --reason 'migration of Zendesk until noon'
  deskup pause backfill
  deskup pause clickup --reason 'their incident'

Exit codes: 0 paused (also where it was: the first reason stands); 2 options,
or no state; 3 the state cannot be used.";

/// Of `resume`.
pub const RESUME: &str = "\
Examples:
  deskup resume
  deskup resume backfill

Exit codes: 0 nothing is paused any more (the brake has a command of its own:
`deskup release`); 2 options, or no state; 3 the state cannot be used.";

/// Of `holders`.
pub const HOLDERS: &str = "\
A record in work has a claim, which ends by itself, and its ticket a lease. A
process books requests of a limit in blocks; what it has not used when the
window ends is lost. Processes are named as in claims.

Examples:
  deskup holders
  deskup holders --json

Exit codes: 0 done; 2 options, or no state; 3 the state cannot be used.";

/// Of `release`.
pub const RELEASE: &str = "\
The brake stops all lanes when more than 20 links, and more than 2 % of those
touched within ten minutes, would go the same way: suspended, closed, to the
same status, or written to because the mapping changed. Look at both services
and at deskup.toml first: a filter, a permission, a bulk edit or a wrong line
is behind it. `deskup plan` tells every write that waits.

Examples:
  deskup release --show           only what waits
  deskup release                  show, ask, release
  deskup release --through        let all that waits now pass

Exit codes: 0 released, or the brake was not on; 2 not confirmed, or no state;
3 the state cannot be used.";

/// Of `export`.
pub const EXPORT: &str = "\
Examples:
  deskup export --out links.json
  deskup export --format csv > links.csv

The JSON has the links and the text of deskup.toml; credentials are in
neither.

Exit codes: 0 done; 2 the file cannot be written or is there already, or no
state; 3 the state cannot be used.";

/// Of `completions`.
pub const COMPLETIONS: &str = "\
Examples:
  deskup completions bash > ~/.local/share/bash-completion/completions/deskup
  deskup completions zsh > ~/.zfunc/_deskup
    with fpath+=~/.zfunc before compinit in ~/.zshrc
  deskup completions fish > ~/.config/fish/completions/deskup.fish

Exit codes: 0 done; 2 options.";

/// Of `init`.
pub const INIT: &str = "\
Examples:
  deskup init                    asks for what it needs
  deskup init --force            propose anew; the old file is kept
  deskup init --zendesk-url acme --workspace 9011001
                                 with credentials from the environment

Exit codes: 0 deskup.toml is written; 1 a service is in trouble, try later; 2
options, credentials or accounts; 3 the folder cannot be written.";

/// Of `check`.
pub const CHECK: &str = "\
Examples:
  deskup check             every mistake with its line, warnings apart
  deskup check --json      for machines

Exit codes: 0 the file fits both accounts; 1 a service is in trouble, try
later; 2 mistakes.";

/// Of `plan`.
pub const PLAN: &str = "\
Examples:
  deskup plan                        look at every change a run would make
  deskup plan --ticket 12            only this ticket
  deskup plan --out plan.json        keep it, for `run ticket-sync --plan`

Exit codes: 0 planned; 1 a service is in trouble; 2 options, settings,
accounts; 3 the state cannot be used.";

/// Of `run`.
pub const RUN: &str = "\
Examples:
  deskup run ticket-sync                    bring over what is new and changed
  deskup run ticket-sync --plan plan.json   make exactly these changes
  deskup run sweep                          compare all linked pairs, repair what differs

Exit codes: 0 done; 1 stopped before the end, or tickets left out; 2 options,
settings, accounts, or a plan is needed; 3 the state cannot be used; 130 a
second Ctrl-C.";

/// Of `serve`.
pub const SERVE: &str = "\
Examples:
  deskup serve                                    as deskup.toml says
  deskup serve --listen 127.0.0.1:8787 --public-url https://desk.acme.com

Exit codes: 0 stopped in order; 2 options, settings, accounts; 3 the state
cannot be used, for example because another deskup serves it.";

/// Of `webhooks`.
pub const WEBHOOKS: &str = "\
Examples:
  deskup webhooks register      on both sides, under [serve] public_url
  deskup webhooks check         do they come through, and are they healthy?
  deskup webhooks rotate        new secrets, without losing a delivery

Exit codes: 0 done; 1 something is not healthy; 2 options, settings, accounts;
3 the state cannot be used.";
