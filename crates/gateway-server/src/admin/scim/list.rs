//! Lists of resources: pages, filters, chosen attributes (RFC 7644 §3.4.2).

use gateway_db::{PageRequest, ScopeKind, ScopeQuery, ScopeRecord};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::filter::Filter;
use crate::admin::job::Job;

/// The schema of lists.
const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// How many resources a page has where nothing is said, and at most.
const USUAL: usize = 100;
pub(super) const MOST: usize = 200;
/// What is always shown.
const ALWAYS: [&str; 2] = ["id", "schemas"];

/// What of a list is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) filter: Option<Filter>,
    text: String,
    /// From 1.
    start: usize,
    count: usize,
    only: Vec<String>,
    without: Vec<String>,
}

impl Wanted {
    /// Reads the query.
    ///
    /// # Errors
    /// What of it makes no sense.
    pub(super) fn read(job: &Job) -> Result<Self, Fault> {
        let number = |name: &str, usual: usize| match job.param(name) {
            None => Ok(usual),
            // Less than nothing is nothing.
            Some(text) => text.trim().parse::<i64>().map(|n| usize::try_from(n).unwrap_or(0)).map_err(|_| {
                let shown: String = text.chars().take(40).collect();
                Fault::bad("invalidValue", format!("`{name}` is `{shown}`, expected a number"))
            }),
        };
        let text = job.param("filter").unwrap_or_default();
        let filter = if text.is_empty() { None } else { Some(Filter::read(&text)?) };
        let (start, count) = (number("startIndex", 1)?.max(1), number("count", USUAL)?.min(MOST));
        Ok(Self { filter, text: text.to_lowercase(), start, count, ..Self::attributes(job) })
    }

    /// Only which attributes are shown.
    pub(super) fn attributes(job: &Job) -> Self {
        let names = |name: &str| -> Vec<String> {
            let said = job.param(name).unwrap_or_default();
            let bare =
                |name: &str| name.rsplit_once(':').map_or(name, |(_, bare)| bare).trim().to_lowercase();
            said.split(',').map(bare).filter(|name| !name.is_empty()).collect()
        };
        let (only, without) = (names("attributes"), names("excludedAttributes"));
        Self { filter: None, text: String::new(), start: 1, count: USUAL, only, without }
    }

    /// Whether the filter may look at an attribute.
    pub(super) fn filter_names(&self, name: &str) -> bool {
        self.text.contains(name)
    }

    /// Whether an attribute is shown.
    pub(super) fn shows(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let is =
            |one: &String| *one == name || one.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.'));
        if ALWAYS.contains(&name.as_str()) {
            return true;
        }
        if self.only.is_empty() { !self.without.contains(&name) } else { self.only.iter().any(is) }
    }

    /// A resource with what is to be shown of it.
    pub(super) fn shown(&self, mut resource: Map<String, Value>) -> Value {
        resource.retain(|name, _| self.shows(name));
        Value::Object(resource)
    }

    /// The page of a whole list, and how long the list is.
    pub(super) fn cut<T>(&self, all: Vec<T>) -> (Vec<T>, usize) {
        let total = all.len();
        (all.into_iter().skip(self.start - 1).take(self.count).collect(), total)
    }

    /// The answer.
    pub(super) fn answer(&self, resources: &[Value], total: usize) -> Value {
        json!({
            "schemas": [SCHEMA],
            "totalResults": total,
            "startIndex": self.start,
            "itemsPerPage": resources.len(),
            "Resources": resources,
        })
    }
}

/// A list of things that are always the same.
pub(super) fn whole(resources: &[Value]) -> Value {
    let total = resources.len();
    json!({
        "schemas": [SCHEMA],
        "totalResults": total,
        "startIndex": 1,
        "itemsPerPage": total,
        "Resources": resources,
    })
}

/// The page of all scopes of a kind. Pages may begin anywhere: at most two of the database's hold one.
pub(super) async fn page(
    job: &Job,
    kind: ScopeKind,
    wanted: &Wanted,
) -> Result<(Vec<ScopeRecord>, usize), Fault> {
    let size = wanted.count.max(1);
    let (first, skipped) = ((wanted.start - 1) / size, (wanted.start - 1) % size);
    let (mut items, mut total) = (Vec::new(), 0);
    for number in [first, first + 1] {
        let mut query = ScopeQuery::of(kind);
        query.page = PageRequest { page: number as u64 + 1, size: size as u64 };
        let found = job.db.list_scopes(&query).await?;
        total = usize::try_from(found.total).unwrap_or(usize::MAX);
        items.extend(found.items);
        if skipped == 0 {
            break;
        }
    }
    Ok((items.into_iter().skip(skipped).take(wanted.count).collect(), total))
}
