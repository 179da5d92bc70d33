//! A gateway inside another program: `cargo run --example embed -- config.yaml 4000`.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use gateway_server::config::{self, Env};
use gateway_server::{Gateway, ServeOptions};
use llm_providers::Registry;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: embed <config.yaml> <port>")?;
    let port: u16 = arguments.next().unwrap_or_else(|| "4000".to_owned()).parse()?;

    let loaded = config::load(Path::new(&path), &Env::of_process(), &Registry::built_in());
    let config = loaded.config.ok_or("the configuration has errors: see `gateway check`")?;
    let gateway = Gateway::start(
        config,
        &ServeOptions {
            address: ([127, 0, 0, 1], port).into(),
            data_dir: std::env::temp_dir().join(format!("gateway-embed-{}", std::process::id())),
            cores: None,
            access_log: None,
            drain: Duration::from_secs(10),
        },
    )?;
    gateway.block_on(tokio::signal::ctrl_c())?;
    gateway.stop();
    Ok(())
}
