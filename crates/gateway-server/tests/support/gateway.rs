//! A gateway in this process: `gateway().model("fast", "openai/gpt-4o-mini", &upstream).start()`.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway_db::{Db, DbOptions, PageRequest, ScopeId, ScopeKind, SpendQuery, SpendRow};
use gateway_server::config::{self, Config, Env};
use gateway_server::{Gateway, ServeOptions};
use llm_providers::Registry;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{Answer, Call, Upstream, log, openai, wait_for, wait_until};

/// The operator's key.
pub(crate) const MASTER: &str = "sk-walk-master-1f2e3d4c5b6a";

/// A gateway being put together. Its configuration is JSON, which YAML is a superset of.
#[derive(Clone)]
pub(crate) struct Setup {
    models: Vec<Value>,
    sections: Map<String, Value>,
    drain: Duration,
}

/// Nothing but an operator's key. Nothing is retried and nothing rests unless a test says so.
pub(crate) fn gateway() -> Setup {
    let router = json!({ "num_retries": 0, "disable_cooldowns": true });
    let mut sections = Map::new();
    sections.insert("general_settings".to_owned(), json!({ "master_key": MASTER }));
    sections.insert("router_settings".to_owned(), router);
    sections.insert("litellm_settings".to_owned(), json!({}));
    Setup { models: Vec::new(), sections, drain: Duration::from_secs(10) }
}

impl Setup {
    /// A model at a provider, at 0.001 USD a prompt token and 0.002 USD an answer token.
    pub(crate) fn model(self, name: &str, model: &str, upstream: &Upstream) -> Self {
        self.model_at(name, model, &upstream.url(), &json!({}))
    }

    /// The same at a URL, with more `litellm_params`.
    pub(crate) fn model_at(mut self, name: &str, model: &str, url: &str, more: &Value) -> Self {
        let mut params = json!({
            "model": model, "api_base": url, "api_key": "sk-provider-secret-7a8b9c",
            "input_cost_per_token": 0.001, "output_cost_per_token": 0.002,
        });
        for (key, value) in more.as_object().expect("an object of parameters") {
            params[key] = value.clone();
        }
        self.models.push(json!({ "model_name": name, "litellm_params": params }));
        self
    }

    /// More of the last model: its `model_info`.
    pub(crate) fn info(mut self, info: Value) -> Self {
        self.models.last_mut().expect("a model")["model_info"] = info;
        self
    }

    /// A setting such as `("router_settings", "num_retries", 2)`.
    pub(crate) fn set(mut self, section: &str, name: &str, value: impl Into<Value>) -> Self {
        self.sections[section][name] = value.into();
        self
    }

    /// A whole section.
    pub(crate) fn with(mut self, section: &str, members: Value) -> Self {
        self.sections.insert(section.to_owned(), members);
        self
    }

    /// How long streams may take to finish when the gateway stops.
    pub(crate) fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// The configuration.
    #[track_caller]
    pub(crate) fn config(&self) -> Config {
        let mut root = self.sections.clone();
        root.insert("model_list".to_owned(), json!(self.models));
        let text = Value::Object(root).to_string();
        let loaded = config::parse(&text, &[("X", "Y")].into_iter().collect::<Env>(), &Registry::built_in());
        let problems = loaded.problems;
        loaded.config.unwrap_or_else(|| panic!("{problems:#?}"))
    }

    /// Starts with an empty data folder.
    #[track_caller]
    pub(crate) fn start(&self) -> Running {
        self.start_in(TempDir::new().expect("a folder"))
    }

    /// Starts where another gateway was before.
    #[track_caller]
    pub(crate) fn start_in(&self, dir: TempDir) -> Running {
        log::listen();
        let access_log = Arc::new(Mutex::new(Vec::new()));
        let options = ServeOptions {
            address: ([127, 0, 0, 1], 0).into(),
            data_dir: dir.path().to_owned(),
            cores: Some(2),
            access_log: Some(Arc::clone(&access_log) as _),
            drain: self.drain,
        };
        // After a crash the folder is free once the last thread of the one before is gone.
        let mut refused = String::new();
        let gateway = wait_for("the gateway to start", || match Gateway::start(self.config(), &options) {
            Ok(gateway) => Some(gateway),
            Err(error) if error.to_string() == refused => None,
            Err(error) => {
                refused = error.to_string();
                eprintln!("{refused}");
                None
            }
        });
        Running { address: gateway.address(), gateway: Some(gateway), dir: Some(dir), access_log }
    }
}

/// A gateway that runs until it is stopped or dropped.
pub(crate) struct Running {
    address: SocketAddr,
    gateway: Option<Gateway>,
    dir: Option<TempDir>,
    access_log: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        Call::new(self.address, "GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        Call::new(self.address, "POST", path)
    }

    /// A chat call with the operator's key.
    pub(crate) fn chat(&self, body: &Value) -> Call {
        self.post(openai::PATH).key(MASTER).json(body)
    }

    /// A management request of the operator.
    #[track_caller]
    pub(crate) fn manage(&self, path: &str, body: &Value) -> Answer {
        self.post(path).key(MASTER).json(body).send()
    }

    /// A new virtual key.
    #[track_caller]
    pub(crate) fn key(&self, settings: &Value) -> String {
        let made = self.manage("/key/generate", settings).expect(200).json();
        made["key"].as_str().expect("the secret").to_owned()
    }

    /// What `/key/info` says of a key.
    #[track_caller]
    pub(crate) fn info(&self, key: &str) -> Value {
        let answer = self.get(&format!("/key/info?key={key}")).key(MASTER).send();
        answer.expect(200).json()["info"].clone()
    }

    /// What a key has spent, USD.
    #[track_caller]
    pub(crate) fn spend(&self, key: &str) -> f64 {
        self.info(key)["spend"].as_f64().expect("spend is a number")
    }

    /// Every sample of a metric whose labels hold a text, added up.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let text = self.get("/metrics").key(MASTER).send().expect(200).text();
        text.lines()
            .filter_map(|line| line.rsplit_once(' '))
            .filter(|(series, _)| series.split('{').next() == Some(name) && series.contains(labels))
            .map(|(_, value)| value.parse::<f64>().expect("a sample is a number"))
            .sum()
    }

    /// Calls being answered.
    #[track_caller]
    pub(crate) fn in_flight(&self) -> f64 {
        self.metric("gateway_in_flight_requests", "")
    }

    /// Waits until no call is being answered: every reservation is given back.
    #[track_caller]
    pub(crate) fn wait_for_rest(&self) {
        wait_until("calls in flight to end", || self.in_flight() == 0.0);
    }

    /// Stops well and gives the whole access log.
    pub(crate) fn whole_log(self) -> String {
        let log = Arc::clone(&self.access_log);
        drop(self.stop());
        String::from_utf8_lossy(&log.lock()).into_owned()
    }

    #[track_caller]
    pub(crate) fn reload(&self, setup: &Setup) {
        self.gateway.as_ref().expect("it runs").reload(setup.config());
    }

    /// Stops well and gives the data folder back.
    pub(crate) fn stop(mut self) -> TempDir {
        self.gateway.take().expect("it runs").stop();
        self.dir.take().expect("it ran in a folder")
    }

    /// Ends abruptly and gives the data folder back.
    pub(crate) fn crash(mut self) -> TempDir {
        drop(self.gateway.take());
        self.dir.take().expect("it ran in a folder")
    }

    /// Stops well and tells what was booked, the latest call first.
    pub(crate) fn booked(self) -> Vec<SpendRow> {
        rows(self.stop().path())
    }
}

/// What a part of a budget has spent, USD, by the database of a data folder: the budget of an owner such as
/// `deployment:d1` for a period such as `30d`.
#[track_caller]
pub(crate) fn part_spend(dir: &Path, owner: &str, period: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite:{}", dir.join("gateway.db").display());
        let db = Db::connect(&url, &DbOptions::default()).await.expect("the database opens");
        let id = ScopeId::member(ScopeKind::Part, owner, format!("@{period}"));
        let found = db.scope(&id).await.expect("the database answers");
        found.unwrap_or_else(|| panic!("{owner} has no budget of {period}")).spend.as_usd()
    })
}

/// The spend log of a data folder.
fn rows(dir: &Path) -> Vec<SpendRow> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite:{}", dir.join("gateway.db").display());
        let db = Db::connect(&url, &DbOptions::default()).await.expect("the database opens");
        let page = PageRequest { page: 1, size: 1_000 };
        let query = SpendQuery { page, ..SpendQuery::default() };
        db.spend_rows(&query).await.expect("the database answers").items
    })
}
