//! What is known of every vendor's models: prices, limits, abilities.
//!
//! ```
//! use llm_providers::catalog::{ModelQuery, PriceBook};
//!
//! let book = PriceBook::builtin();
//! let model = book.lookup(&ModelQuery::new("openai", "gpt-4o")).expect("a known model");
//! assert_eq!(model.max_input, Some(128_000));
//! ```

mod adjustments;
mod book;
mod custom;
mod info;
mod keys;
mod litellm;
mod names;
mod render;

pub use adjustments::Adjustments;
pub use book::PriceBook;
pub use info::ModelInfo;
pub use names::{Image, ModelQuery, same_vendor};
