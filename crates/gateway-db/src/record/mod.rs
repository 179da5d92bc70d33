//! Plain structs that go into and come out of the database; money in nano-dollars, times in Unix ms.

mod entry;
mod invitation;
mod key;
mod page;
mod patch;
mod response;
mod scope;
mod spend;
mod token_key;

pub use entry::{ConfigEntry, EntryKind};
pub use invitation::Invitation;
pub use key::{JsonMap, KeyRecord, KeySettings, NewKey};
pub use page::{Page, PageRequest};
pub use patch::{Change, KeyPatch};
pub use response::StoredResponse;
pub use scope::{NewScope, ScopeId, ScopeKind, ScopeRecord, ScopeSettings};
pub use spend::{DailyQuery, DailySpend, ModelSpend, SpendQuery, SpendRow, SpendSort};
pub use token_key::TokenKey;
