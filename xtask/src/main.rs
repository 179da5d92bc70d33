//! The workshop: tidiness, generated documents, price updates. It links none of our crates.

mod ci;
mod codegen;
mod prices;
mod root;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  ci                                everything CI runs, in its order
  tidy                              layers, fences, sizes, headers, links, names
  codegen [--check]                 write docs/reference, or only say what is stale
  prices import --from <file|url>   read a LiteLLM price map into model_prices.json
  prices check                      is model_prices.json sorted, whole and sane?
  prices diff <old> [<new>]         what changed between two books, for people
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["prices", rest @ ..] => prices::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(report) => {
            say(&report);
            ExitCode::SUCCESS
        }
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command's answer")]
fn say(report: &str) {
    println!("{}", report.trim_end());
}

#[expect(clippy::print_stderr, reason = "a command's failure")]
fn complain(problem: &str) {
    eprintln!("{}", problem.trim_end());
}
