//! `Port`: a port of this machine that nobody else gets for as long as it is held.
//!
//! The port is bound, but nobody listens on it. The kernel does not give it to programs that ask for any free port, but
//! a program that is told to use it can listen on it, be killed, and listen on it again.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A reserved port. Dropping it releases the port.
pub struct Port {
    address: SocketAddr,
    _socket: Option<TcpSocket>,
}

impl Port {
    /// Reserves a port on loopback.
    pub fn free() -> Port {
        Port::on(Ipv4Addr::LOCALHOST)
    }

    /// Reserves a port on this address.
    pub fn on(address: Ipv4Addr) -> Port {
        let socket = TcpSocket::new_v4().expect("a socket can be created");
        socket.set_reuseaddr(true).expect("another program may listen on it");
        socket.bind((address, 0).into()).expect("a port is free");
        let address = socket.local_addr().expect("it is bound");
        // Other systems let nobody listen on a port that is bound, so there it is only free for the moment.
        let socket = cfg!(target_os = "linux").then_some(socket);
        Port { address, _socket: socket }
    }

    /// Returns the address for a program to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
