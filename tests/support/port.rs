//! `Port`: a port of this machine that nobody else is given for as long as it is held.
//!
//! It is bound and does not listen: the kernel gives it to nobody who asks for any port, while a program that is told
//! of it can listen there, be killed, and come back.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// See the module.
pub struct Port {
    address: SocketAddr,
    _held: Option<TcpSocket>,
}

impl Port {
    /// One of loopback.
    pub fn free() -> Port {
        Port::on(Ipv4Addr::LOCALHOST)
    }

    /// One of this address.
    pub fn on(address: Ipv4Addr) -> Port {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        socket.set_reuseaddr(true).expect("another may listen there");
        socket.bind((address, 0).into()).expect("a port is free");
        let address = socket.local_addr().expect("it is bound");
        // Other systems let nobody listen where somebody is bound; there the port is only free for the moment.
        let held = cfg!(target_os = "linux").then_some(socket);
        Port { address, _held: held }
    }

    /// Where a program is to listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}
