//! `gateway check`: everything that is wrong with a configuration file.

use gateway_server::config::check::{self, Verdict};
use gateway_server::config::{self, Env, Registry};

use crate::args::CheckArgs;
use crate::render::{self, Exit};

/// Checks a file as `gateway serve` would read it; nothing is started or asked.
pub(crate) fn run(args: &CheckArgs) -> Exit {
    let loaded = config::load(&args.config, &Env::of_process(), &Registry::built_in());
    if args.json {
        render::data(format!("{:#}", check::json(&loaded.problems, args.strict)));
    } else {
        render::data(check::text(&loaded.problems, args.strict).trim_end());
    }
    match Verdict::on(&loaded.problems, args.strict) {
        Verdict::Usable => Exit::Success,
        Verdict::Strict => Exit::Failure,
        Verdict::Broken => Exit::BadInput,
    }
}
