//! The core's promises: what is acknowledged stays, and every reader gets all of it, once and in order.

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
mod simulation;
mod socket;
mod stopping;
