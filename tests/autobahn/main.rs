//! Two servers whose sockets give back what they hear: one with the limits of every server, one that takes the
//! large messages of the suite's own limit cases. Ends when its standard input does.

use anyhow::Result;
use rookery_protocol::limits::FRAME_BYTES;
use rookery_tests::node::TestNode;
use std::io::Read;

/// The largest message of the suite: 16 MiB (cases 9.1.6 and 9.2.6), and as much again for what it says of itself.
const LARGEST: usize = 32 << 20;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (usual, large) = (TestNode::start().await, TestNode::start().await);
        usual.echo(FRAME_BYTES);
        large.echo(LARGEST);
        println!("{} {}", usual.http(), large.http());
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await??;
        Ok(())
    })
}
