//! `gateway serve`: starts a gateway, keeps it up to date with its file, and stops it well.

mod greeting;
mod watch;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use gateway_server::config::{Config, Env, Registry};
use gateway_server::{Gateway, ServeOptions, StartError};

use super::{check, data_dir, load};
use crate::args::{CheckArgs, ServeArgs};
use crate::logging;
use crate::quickstart::{self, MasterKey};
use crate::render::{self, Exit, Failure};

/// A configuration and how to greet with it.
struct Origin {
    config: Config,
    /// What was found where there is no file: lines for people, and the key that was made.
    found: Option<(Vec<String>, Option<MasterKey>)>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// When the configuration cannot be used, or the database, the data folder or the port not be had.
pub(crate) fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    if let (true, Some(config)) = (args.validate_config, args.config.clone()) {
        return Ok(check::run(&CheckArgs { config, strict: args.strict, json: false }));
    }
    logging::install(args, &|name| std::env::var_os(name));
    let env = Env::of_process();
    let folder = data_dir::of(args.data_dir.as_deref(), args.config.as_deref());
    let origin = origin(args, &env, &folder)?;
    let gateway = start(args, origin.config, &folder)?;
    let greet = || match &origin.found {
        Some((lines, key)) => greeting::first(gateway.address(), lines, key.as_ref(), &folder),
        None => greeting::again(gateway.address(), &folder),
    };
    watch::until_stopped(&gateway, args, &env, greet)?;
    gateway.stop();
    Ok(Exit::Success)
}

/// The file's configuration, else one made from what is found here.
fn origin(args: &ServeArgs, env: &Env, folder: &Path) -> Result<Origin, Failure> {
    if let Some(path) = &args.config {
        let config = load::file(path, env, args.strict)?;
        data_dir::make(folder)?;
        return Ok(Origin { config, found: None });
    }
    let found = quickstart::find(args, env, &Registry::built_in());
    let mut config = load::usable(found.loaded, "what was found here", args.strict)?;
    data_dir::make(folder)?;
    let key = match config.general.master_key {
        Some(_) => None,
        None => {
            let key = MasterKey::load_or_make(folder).map_err(|error| {
                Failure::new("cannot keep a master key")
                    .because(error)
                    .hint("set `LITELLM_MASTER_KEY` to a key of your own")
            })?;
            config.general.master_key = Some(key.secret.clone());
            Some(key)
        }
    };
    Ok(Origin { config, found: Some((found.lines, key)) })
}

fn start(args: &ServeArgs, config: Config, folder: &Path) -> Result<Gateway, Failure> {
    // Without a file nobody has decided to let the network in.
    let usual = if args.config.is_some() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let options = ServeOptions {
        address: SocketAddr::new(args.host.unwrap_or(IpAddr::V4(usual)), args.port),
        data_dir: folder.to_owned(),
        cores: args.workers,
        access_log: tracing::enabled!(tracing::Level::INFO).then(render::access_log),
        drain: Duration::from_secs(args.drain),
    };
    Gateway::start(config, &options).map_err(|error| {
        let StartError { what, hint, cause } = error;
        let cause: Box<dyn Error> = cause;
        Failure::new(format!("cannot start: {what}")).because(cause).hint(hint)
    })
}
