//! One listening socket whose connections are dealt to the cores in turn.
//!
//! Dealing balances the few long-lived connections that clients of language models keep, which a
//! socket per core (`SO_REUSEPORT`) would spread by hash; and a second gateway on the same port fails
//! at once instead of silently taking half of the traffic.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

/// Connections waiting to be accepted by the kernel.
const BACKLOG: u32 = 4_096;

/// Opens the listening socket.
///
/// # Errors
/// What the operating system said, for example that the address is in use.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A connection on its way to its core.
pub(crate) type Arrival = (std::net::TcpStream, SocketAddr);

/// Accepts for ever, dealing connections to the cores in turn. Ends when every core is gone.
pub(crate) async fn accept(listener: TcpListener, cores: Vec<mpsc::Sender<Arrival>>) {
    let mut turn = 0;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let Ok(stream) = prepare(stream) else { continue };
                turn = (turn + 1) % cores.len();
                if cores[turn].send((stream, peer)).await.is_err() {
                    return;
                }
            }
            // Out of file descriptors, or the peer left already: the next accept may succeed.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

/// Without `TCP_NODELAY`, small frames of a stream wait for the peer's delayed acknowledgement.
fn prepare(stream: TcpStream) -> io::Result<std::net::TcpStream> {
    stream.set_nodelay(true)?;
    stream.into_std()
}
