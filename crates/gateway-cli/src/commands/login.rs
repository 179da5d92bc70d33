//! `gateway login`: sign-ins that need a person.

use gateway_server::config::Env;
use gateway_server::login;

use crate::args::{LoginArgs, LoginProvider};
use crate::render::{self, Exit, Failure};

/// Signs in and says where the token is kept.
///
/// # Errors
/// When the sign-in is refused, or nobody can be asked.
pub(crate) fn run(args: &LoginArgs) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let env = Env::of_process();
    let ask = |page: &str, code: &str| render::talk(format!("open {page} and type {code}"));
    let kept = match args.provider {
        LoginProvider::GithubCopilot => runtime.block_on(login::copilot(&env, ask)),
        LoginProvider::Chatgpt => runtime.block_on(login::chatgpt(&env, ask)),
    };
    let path = kept.map_err(|error| Failure::new(error.message().to_owned()))?;
    render::talk(format!("signed in: the token is kept in {}", path.display()));
    Ok(Exit::Success)
}
