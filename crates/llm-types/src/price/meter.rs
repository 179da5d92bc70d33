//! What is counted, and one rate for it.

use std::fmt;
use std::str::FromStr;

macro_rules! meters {
    ($($(#[$doc:meta])* $variant:ident = $name:literal / $per:literal,)*) => {
        /// A kind of unit that has a price.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Meter {
            $($(#[$doc])* $variant,)*
        }

        impl Meter {
            /// Every meter.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in `model_prices.json`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How many units the written price is for: a million, or one.
            #[must_use]
            pub const fn priced_per(self) -> u32 {
                match self { $(Self::$variant => $per),* }
            }
        }
    };
}

meters! {
    /// Prompt tokens that are nothing more special.
    Input = "input" / 1_000_000,
    /// Answer tokens that are nothing more special.
    Output = "output" / 1_000_000,
    /// Answer tokens spent on reasoning.
    Reasoning = "reasoning" / 1_000_000,
    /// Prompt tokens read from the provider's cache.
    CacheRead = "cache_read" / 1_000_000,
    /// Prompt tokens written to the provider's cache for five minutes, or for no stated time.
    CacheWrite = "cache_write" / 1_000_000,
    /// Prompt tokens written to the provider's cache for one hour.
    CacheWrite1h = "cache_write_1h" / 1_000_000,
    /// Prompt tokens read from a cache the caller created explicitly.
    ExplicitCacheRead = "explicit_cache_read" / 1_000_000,
    /// Cached prompt tokens that are audio.
    CacheReadAudio = "cache_read_audio" / 1_000_000,
    /// Cached prompt tokens that are images.
    CacheReadImage = "cache_read_image" / 1_000_000,
    /// Audio prompt tokens written to the cache.
    CacheWriteAudio = "cache_write_audio" / 1_000_000,
    /// Prompt tokens that are audio.
    AudioTokenIn = "audio_token_in" / 1_000_000,
    /// Prompt tokens that are images.
    ImageTokenIn = "image_token_in" / 1_000_000,
    /// Prompt tokens that are video.
    VideoTokenIn = "video_token_in" / 1_000_000,
    /// Answer tokens that are audio.
    AudioTokenOut = "audio_token_out" / 1_000_000,
    /// Answer tokens that are images.
    ImageTokenOut = "image_token_out" / 1_000_000,
    /// Answer tokens that are video.
    VideoTokenOut = "video_token_out" / 1_000_000,
    /// Tokens of cited sources.
    Citation = "citation" / 1_000_000,
    /// Databricks units per prompt token: a fact, not an amount of USD.
    DbuIn = "dbu_in" / 1_000_000,
    /// Databricks units per answer token: a fact, not an amount of USD.
    DbuOut = "dbu_out" / 1_000_000,
    /// Characters in.
    CharacterIn = "character_in" / 1_000_000,
    /// Characters out.
    CharacterOut = "character_out" / 1_000_000,
    /// Pixels of the asked image, for providers that price by them.
    PixelIn = "pixel_in" / 1_000_000,
    /// Pixels of the made image.
    PixelOut = "pixel_out" / 1_000_000,
    /// Images in.
    ImageIn = "image_in" / 1,
    /// Images made.
    ImageOut = "image_out" / 1,
    /// Seconds the call took.
    Second = "second" / 1,
    /// Seconds of media in; seconds the call took where the model is no media model.
    SecondIn = "second_in" / 1,
    /// Seconds of media out; seconds the call took where the model is no media model.
    SecondOut = "second_out" / 1,
    /// Seconds of audio in.
    AudioSecondIn = "audio_second_in" / 1,
    /// Seconds of audio made.
    AudioSecondOut = "audio_second_out" / 1,
    /// Seconds of video in.
    VideoSecondIn = "video_second_in" / 1,
    /// Seconds of video made.
    VideoSecondOut = "video_second_out" / 1,
    /// Calls.
    Request = "request" / 1,
    /// Queries or search units of reranking and search.
    Query = "query" / 1,
    /// Text messages (some embedding models).
    TextMessage = "text_message" / 1,
    /// Pages read.
    Page = "page" / 1,
    /// Pages annotated.
    AnnotatedPage = "annotated_page" / 1,
    /// Credits of the provider.
    Credit = "credit" / 1,
    /// Units of a guardrail.
    GuardrailUnit = "guardrail_unit" / 1,
    /// Sessions of a code interpreter.
    CodeSession = "code_session" / 1,
    /// Prompts grounded in maps.
    MapsQuery = "maps_query" / 1,
    /// Web searches the provider ran.
    WebSearch = "web_search" / 1,
    /// Prompts for which the provider searched the web, however often.
    WebSearchPrompt = "web_search_prompt" / 1,
    /// Calls of the file search tool.
    FileSearch = "file_search" / 1,
}

impl Meter {
    /// The meter with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|meter| meter.name() == name)
    }
}

/// The class of service a call was served in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Tier {
    /// The normal one.
    #[default]
    Standard,
    /// Slower and cheaper.
    Flex,
    /// Between flex and standard.
    Balanced,
    /// Faster and dearer.
    Priority,
    /// Faster and dearer.
    Fast,
    /// The fastest and dearest.
    Ultrafast,
    /// The batch API; half the normal price where no other is given.
    Batch,
    /// The decisions API.
    Decisions,
}

impl Tier {
    pub(super) const ALL: [Self; 8] = [
        Self::Standard,
        Self::Flex,
        Self::Balanced,
        Self::Priority,
        Self::Fast,
        Self::Ultrafast,
        Self::Batch,
        Self::Decisions,
    ];

    /// The name in `model_prices.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Flex => "flex",
            Self::Balanced => "balanced",
            Self::Priority => "priority",
            Self::Fast => "fast",
            Self::Ultrafast => "ultrafast",
            Self::Batch => "batch",
            Self::Decisions => "decisions",
        }
    }

    /// The tier a provider's or caller's word means (`service_tier`, Gemini's `trafficType`); every
    /// unknown word is the standard tier.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let word = word.trim();
        let known = Self::ALL.into_iter().find(|tier| word.eq_ignore_ascii_case(tier.name()));
        known.unwrap_or(match word {
            "ON_DEMAND_PRIORITY" => Self::Priority,
            "ON_DEMAND_FLEX" => Self::Flex,
            "batches" => Self::Batch,
            _ => Self::Standard,
        })
    }
}

/// The condition under which a rate holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// The prompt has more tokens than this.
    Above(u64),
    /// The prompt has at least this many tokens.
    AtLeast(u64),
    /// The clip is longer than this many seconds.
    LongerThan(u64),
    /// Of this size, resolution or quality, in the provider's word (`1080p`, `4K`, `high`).
    Size(Box<str>),
}

/// What one unit costs under a condition.
///
/// Written `meter`, then `:size`, `>tokens`, `>=tokens` or `>seconds` + `s`, then `@tier`; thousands
/// may be written `k`: `input>272k@priority`, `second_out:1080p`, `video_second_in>15s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// What is counted.
    pub meter: Meter,
    /// When this rate holds.
    pub when: When,
    /// For which class of service.
    pub tier: Tier,
    /// Femto-dollars (10⁻¹⁵ USD) per unit.
    pub femto: u64,
}

impl Rate {
    /// A rate without conditions, in USD per unit. NaN and negative prices are zero.
    #[must_use]
    pub fn per_unit(meter: Meter, usd: f64) -> Self {
        Self { meter, when: When::Always, tier: Tier::Standard, femto: to_integer(usd * 1e15) }
    }

    /// The rate a written key and price mean.
    ///
    /// # Errors
    /// When the key is none of ours or the price is negative, not finite or beyond 18 446 USD a unit.
    pub fn parse(key: &str, price: f64) -> Result<Self, String> {
        let (meter, when, tier) = parse_key(key)?;
        let femto = price * 1e15 / f64::from(meter.priced_per());
        if !(0.0..1.8e19).contains(&femto) {
            return Err(format!("`{key}` is `{price}`, expected a price in USD from 0 to 18446 per unit"));
        }
        Ok(Self { meter, when, tier, femto: to_integer(femto) })
    }

    /// The key it is written under.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = self.meter.name().to_owned();
        match &self.when {
            When::Always => {}
            When::Above(tokens) => key.push_str(&format!(">{}", Thousands(*tokens))),
            When::AtLeast(tokens) => key.push_str(&format!(">={}", Thousands(*tokens))),
            When::LongerThan(seconds) => key.push_str(&format!(">{seconds}s")),
            When::Size(size) => key.push_str(&format!(":{size}")),
        }
        if self.tier != Tier::Standard {
            key.push_str(&format!("@{}", self.tier.name()));
        }
        key
    }

    /// USD per unit.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "presentation only")]
    pub fn usd(&self) -> f64 {
        self.femto as f64 / 1e15
    }

    /// The price as it is written: USD per [`Meter::priced_per`] units.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "presentation only")]
    pub fn written(&self) -> f64 {
        self.femto as f64 / (1e15 / f64::from(self.meter.priced_per()))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "float to integer casts saturate"
)]
fn to_integer(femto: f64) -> u64 {
    femto.round() as u64
}

fn parse_key(key: &str) -> Result<(Meter, When, Tier), String> {
    let (rest, tier) = match key.split_once('@') {
        None => (key, Tier::Standard),
        Some((rest, name)) => {
            let tier = Tier::ALL.into_iter().find(|tier| tier.name() == name);
            (rest, tier.ok_or_else(|| format!("`{key}` names the unknown tier `{name}`"))?)
        }
    };
    let (name, when) = if let Some((name, size)) = rest.split_once(':') {
        (name, When::Size(size.into()))
    } else if let Some((name, bound)) = rest.split_once('>') {
        (name, parse_bound(bound).ok_or_else(|| format!("`{key}` has the unreadable bound `{bound}`"))?)
    } else {
        (rest, When::Always)
    };
    let meter = Meter::named(name).ok_or_else(|| format!("`{key}` names the unknown unit `{name}`"))?;
    Ok((meter, when, tier))
}

fn parse_bound(bound: &str) -> Option<When> {
    if let Some(seconds) = bound.strip_suffix('s') {
        return u64::from_str(seconds).ok().map(When::LongerThan);
    }
    let (digits, inclusive) = match bound.strip_prefix('=') {
        Some(digits) => (digits, true),
        None => (bound, false),
    };
    let tokens = match digits.strip_suffix('k') {
        Some(thousands) => u64::from_str(thousands).ok()?.checked_mul(1_000)?,
        None => u64::from_str(digits).ok()?,
    };
    Some(if inclusive { When::AtLeast(tokens) } else { When::Above(tokens) })
}

struct Thousands(u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 != 0 && self.0.is_multiple_of(1_000) {
            write!(f, "{}k", self.0 / 1_000)
        } else {
            write!(f, "{}", self.0)
        }
    }
}
