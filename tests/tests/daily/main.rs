//! What people do with a deskup that runs: apply kept values, put records back, pause lanes, release the brake.

mod any_world;
mod applying;
mod desk;
mod pausing;
