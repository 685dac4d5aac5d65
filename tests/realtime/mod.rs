//! The core's promises: acknowledged events stay, and every reader gets all of them, once and in order.

mod backup;
mod catch_up;
mod database_file;
mod durability;
mod event_log;
mod failing_links;
mod fan_out;
mod flood;
mod full_disk;
mod heartbeat;
mod kill_rounds;
mod node_reads;
mod older_database;
mod permissions;
mod presence;
mod restore;
mod simulation;
mod socket;
mod stopping;
