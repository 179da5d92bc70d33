//! The command line as types: what clap parses, and nothing else.

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use llm_types::Secret;

/// One API in front of every LLM provider.
///
/// Without a command it serves: `gateway --config config.yaml --port 4000` is `gateway serve …`.
/// Without a configuration it uses the provider keys it finds in the environment.
#[derive(Debug, Parser)]
#[command(name = "gateway", version, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// How to serve when no command is given.
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the API (also without this word).
    Serve(ServeArgs),
    /// Check a configuration file and say everything that is wrong with it.
    ///
    /// Exit status: 0 when it can be served, 1 with `--strict` when there are warnings, 2 when it cannot be served.
    Check(CheckArgs),
    /// Say which deployments a call would be routed to, and why not to the others.
    ///
    /// Exit status: 0 when somebody could serve, 1 when nobody could, 2 when the configuration cannot be used.
    Route(RouteArgs),
    /// List the providers that can be called, and the environment variables that hold their keys.
    Providers(ProvidersArgs),
    /// Sign in at a provider that wants a person to: GitHub Copilot, ChatGPT.
    ///
    /// Prints a page and a code to type there, and waits until that is done.
    Login(LoginArgs),
    /// Look after the database.
    #[command(subcommand)]
    Db(DbCommand),
    /// Prove the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look after what calls cost.
    #[command(subcommand)]
    Spend(SpendCommand),
    /// Take over keys, teams, users and budgets of another gateway.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Say which version this is.
    Version(ListArgs),
    /// Print what generated documents are made from.
    #[command(hide = true)]
    Dump(DumpArgs),
}

/// How to serve.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file, in LiteLLM's format.
    #[arg(short, long, value_name = "FILE", env = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The address to listen on [default: 0.0.0.0; 127.0.0.1 without a configuration].
    #[arg(long, value_name = "ADDRESS", env = "HOST")]
    pub(crate) host: Option<IpAddr>,
    /// The port to listen on; 0 picks a free one.
    #[arg(short, long, value_name = "PORT", env = "PORT", default_value_t = 4000)]
    pub(crate) port: u16,
    /// Threads that serve calls [default: one per core].
    #[arg(long, alias = "num_workers", alias = "num-workers", value_name = "N", env = "NUM_WORKERS")]
    pub(crate) workers: Option<usize>,
    /// Where the ledger, the SQLite file and a generated master key are kept
    /// [default: `.gateway` beside the configuration file, or in the current directory].
    #[arg(long, alias = "data_dir", value_name = "FOLDER", env = "GATEWAY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Seconds that calls in flight may take to finish after a stop.
    #[arg(long, value_name = "SECONDS", env = "GRACEFUL_SHUTDOWN_TIMEOUT", default_value_t = 600)]
    pub(crate) drain: u64,
    /// Refuse to start when the configuration has warnings.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Serve this model without a configuration file, such as `openai/gpt-4o-mini`.
    #[arg(short, long, value_name = "MODEL", conflicts_with = "config")]
    pub(crate) model: Option<String>,
    /// The name callers use for `--model` [default: the model itself].
    #[arg(long, value_name = "NAME", requires = "model")]
    pub(crate) alias: Option<String>,
    /// Where `--model` is asked.
    #[arg(long, alias = "api_base", value_name = "URL", requires = "model")]
    pub(crate) api_base: Option<String>,
    /// Log more: what the gateway does.
    #[arg(long)]
    pub(crate) debug: bool,
    /// Log most: every step of every call.
    #[arg(long, alias = "detailed_debug")]
    pub(crate) detailed_debug: bool,
    /// Check the configuration and end, as `gateway check` does.
    #[arg(long, alias = "validate_config", hide = true, requires = "config")]
    pub(crate) validate_config: bool,
}

/// What to check.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration file.
    #[arg(value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Count warnings as failures.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print the problems as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which call to route.
#[derive(Debug, Args)]
pub(crate) struct RouteArgs {
    /// The configuration file.
    #[arg(short, long, value_name = "FILE", env = "CONFIG")]
    pub(crate) config: PathBuf,
    /// The model a caller asks for.
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: String,
    /// Tags of the request.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// What the caller says, for auto routers.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) prompt: String,
    /// Tokens of its prompt.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) tokens: u64,
    /// The answer is to be streamed.
    #[arg(long)]
    pub(crate) stream: bool,
    /// The one region that may serve it.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The caller's team.
    #[arg(long, value_name = "TEAM")]
    pub(crate) team: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which providers to list, and how.
#[derive(Debug, Args)]
pub(crate) struct ProvidersArgs {
    /// A configuration file whose own providers are listed too.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to sign in.
#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The provider.
    #[arg(value_enum)]
    pub(crate) provider: LoginProvider,
}

/// Providers that a person signs in at.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LoginProvider {
    /// GitHub Copilot.
    #[value(name = "github_copilot", alias = "copilot")]
    GithubCopilot,
    /// A ChatGPT subscription.
    #[value(name = "chatgpt")]
    Chatgpt,
}

/// What to do with the database.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Bring the database's tables up to date.
    Migrate(DbArgs),
    /// Say which database is used and whether its tables are up to date.
    Status(DbArgs),
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Say whether the audit log is as it was written: nothing edited, taken out or cut off.
    ///
    /// Exit status: 0 when it is sound, 1 when it is not or the database does not answer.
    Verify(VerifyArgs),
    /// Print the newest checkpoint, to be kept elsewhere.
    Checkpoint(CheckpointArgs),
}

/// What to prove, and with what.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Which database.
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The key that proves checkpoints, as the gateway logs it at its start
    /// [default: that of the signing key, which takes the configuration or its environment variables].
    #[arg(long, value_name = "BASE64")]
    pub(crate) public_key: Option<String>,
    /// A checkpoint that was kept elsewhere: what `gateway audit checkpoint` printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whose checkpoint.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    /// Which database.
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    /// The configuration file that names the database.
    #[arg(short, long, value_name = "FILE", env = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The database itself: `sqlite://…` or `postgresql://…`.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// Where the SQLite file is when no database is named.
    #[arg(long, alias = "data_dir", value_name = "FOLDER", env = "GATEWAY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// What to do with what calls cost.
#[derive(Debug, Subcommand)]
pub(crate) enum SpendCommand {
    /// Derive what calls cost from their stored usage, at other prices, and book the differences.
    ///
    /// Says by model what was booked, what it is at these prices, and the difference. A difference goes to the daily sums
    /// and to what keys, teams, users, customers and tags have spent ever; where these have no budget period also to
    /// what counts for their budget. Each thousand calls is one transaction, with a row in the audit log. Done twice, it
    /// changes nothing the second time.
    Reprice(RepriceArgs),
}

/// Which calls, and at which prices.
#[derive(Debug, Args)]
pub(crate) struct RepriceArgs {
    /// The prices: a `model_prices.json`, or a price map as LiteLLM has it.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: PathBuf,
    /// The first day (UTC), such as `2026-11-01` [default: all].
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<String>,
    /// The last day, itself included [default: all].
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<String>,
    /// Only calls to this model group, or to the provider's model of this name.
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Say what would be booked, and book nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Which database. What the configuration says of prices, discounts and margins counts, so name it.
    #[command(flatten)]
    pub(crate) db: DbArgs,
}

/// Where to import from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// From the database of a LiteLLM proxy: keys keep their secrets, teams, users, customers, organisations,
    /// budgets and tags their limits and what they have spent. What is here already stays as it is.
    ///
    /// Exit status: 0 when everything that is carried came over, 1 when a value could not be read.
    Litellm(LitellmArgs),
}

/// Hides a value from the moment it is read.
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

/// Which LiteLLM, and into what.
#[derive(Debug, Args)]
pub(crate) struct LitellmArgs {
    /// LiteLLM's database: `postgresql://…`. It is only read.
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: String,
    /// What LiteLLM sealed its secrets with: its salt key, or its master key where it has none. This gateway must
    /// be started with the same one. Without it models and credentials do not come over.
    #[arg(long, value_name = "SALT", env = "LITELLM_SALT_KEY", hide_env_values = true, value_parser = secret)]
    pub(crate) salt_key: Option<Secret>,
    /// Take the calls of its spend log over too, without prompts and replies.
    #[arg(long)]
    pub(crate) spend_logs: bool,
    /// Say what would come over, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The configuration file that names this gateway's database.
    #[arg(short, long, value_name = "FILE", env = "CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// This gateway's database itself: `sqlite://…` or `postgresql://…`.
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) into: Option<String>,
    /// Where the SQLite file is when no database is named.
    #[arg(long, alias = "data_dir", value_name = "FOLDER", env = "GATEWAY_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// What to print for the generators of documents.
#[derive(Debug, Args)]
pub(crate) struct DumpArgs {
    /// Which document.
    pub(crate) what: Dump,
}

/// The sources of generated documents.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Dump {
    /// JSON schema of the configuration file.
    ConfigSchema,
    /// Every setting with its meaning, as Markdown.
    ConfigReference,
    /// This command line, as Markdown.
    Cli,
    /// Every metric with its meaning, as JSON.
    Metrics,
    /// Who answers which calls beside chat.
    Endpoints,
    /// Every provider, as JSON.
    Providers,
}

#[cfg(test)]
mod tests;
