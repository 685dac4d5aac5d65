//! What the tests are written with: a real server, people who ask it by HTTP, browsers without a screen, waiting.

mod answer;
pub mod authority;
pub mod browser;
mod browser_feeds;
pub mod browser_loop;
mod dice;
pub mod event_stream;
mod faulty_link;
pub mod golden;
mod memory_log;
mod person;
mod program;
mod record;
pub mod schema;
mod server;
mod small_disk;
mod socket;
pub mod tls;
pub mod wait;
mod witness;

pub use answer::Answer;
pub use browser::TestBrowser;
pub use dice::Dice;
pub use faulty_link::{Cut, FaultyLink, Stall};
pub use memory_log::MemoryLog;
pub use person::{Person, probe};
pub use program::{FEW_FILES, Program};
pub use record::{Reading, Record};
pub use server::{TestServer, server_command};
pub use small_disk::SmallDisk;
pub use socket::{Socket, read_frame};
pub use wait::{DEADLINE, eventually, in_time};
pub use witness::Witness;
