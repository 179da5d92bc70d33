//! What a person sees when a gateway is up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::quickstart::MasterKey;
use crate::render;

/// Greets after a start with a configuration file.
pub(super) fn again(address: SocketAddr, folder: &Path) {
    render::talk(format!(
        "gateway {} listens on http://{address}; data in {}",
        env!("CARGO_PKG_VERSION"),
        folder.display()
    ));
}

/// Greets after a start without one: what there is, the key, and lines to try.
pub(super) fn first(address: SocketAddr, lines: &[String], key: Option<&MasterKey>, folder: &Path) {
    render::talk(text(address, lines, key, folder));
}

fn text(address: SocketAddr, lines: &[String], key: Option<&MasterKey>, folder: &Path) -> String {
    let url = format!("http://{}", reachable(address));
    // The key as people, a shell and Python read it.
    let (said, used, python) = match key {
        Some(key) if key.is_new => {
            let secret = key.secret.reveal();
            let said = format!("{secret}  (made now, shown once, kept in {})", key.path.display());
            (said, secret.clone(), format!("\"{secret}\""))
        }
        Some(key) => {
            let path = key.path.display();
            let python = format!("open(\"{path}\").read().strip()");
            (format!("kept in {path}"), format!("$(cat {path})"), python)
        }
        None => {
            let name = "LITELLM_MASTER_KEY";
            (name.to_owned(), format!("${name}"), format!("os.environ[\"{name}\"]"))
        }
    };
    let model = example(lines);
    format!(
        r#"gateway {version} listens on http://{address}

  models  {models}
  key     {said}
  data    {folder}

Try it:

  curl {url}/v1/chat/completions -H "Authorization: Bearer {used}" -H "Content-Type: application/json" \
    -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Say hello"}}]}}'

  OpenAI SDK     OpenAI(base_url="{url}/v1", api_key={python})
  Anthropic SDK  Anthropic(base_url="{url}", api_key={python})
"#,
        version = env!("CARGO_PKG_VERSION"),
        models = lines.join("\n          "),
        folder = folder.display(),
    )
}

/// A name to call from the lines: the last is a single model where there is one.
fn example(lines: &[String]) -> String {
    let names: Vec<&str> = lines.iter().filter_map(|line| line.split(" (").next()).collect();
    let whole = names.iter().find(|name| !name.ends_with("/*")).copied();
    match (whole, names.first()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(&"openai/*")) => "openai/gpt-4o-mini".to_owned(),
        (None, Some(pattern)) => pattern.replace('*', "MODEL"),
        (None, None) => "MODEL".to_owned(),
    }
}

/// The address as one types it: everywhere is also here.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests;
