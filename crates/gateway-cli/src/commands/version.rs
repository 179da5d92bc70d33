//! `gateway version`: which program this is.

use serde_json::json;

use crate::args::ListArgs;
use crate::render::{self, Exit};

/// Prints the version and the platform it was built for.
pub(crate) fn run(args: &ListArgs) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    if args.json {
        render::data(json!({"version": version, "platform": platform}));
    } else {
        render::data(format!("gateway {version} ({platform})"));
    }
    Exit::Success
}
