//! How prices are written in JSON.

/// Rates as an object from rate key to USD.
pub(super) mod rates {
    use std::fmt;

    use serde::de::{Error as _, MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    use crate::Rate;

    pub(crate) fn serialize<S: Serializer>(rates: &[Rate], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(rates.iter().map(|rate| (rate.key(), rate.written())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rate>, D::Error> {
        deserializer.deserialize_map(RatesVisitor)
    }

    struct RatesVisitor;

    impl<'de> Visitor<'de> for RatesVisitor {
        type Value = Vec<Rate>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of prices in USD")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut rates = Vec::with_capacity(map.size_hint().unwrap_or(4));
            while let Some((key, price)) = map.next_entry::<std::borrow::Cow<'de, str>, f64>()? {
                rates.push(Rate::parse(&key, price).map_err(A::Error::custom)?);
            }
            Ok(rates)
        }
    }
}

/// Factors as an object from trigger to number.
pub(super) mod times {
    use std::fmt;

    use serde::de::{MapAccess, Visitor};
    use serde::{Deserializer, Serializer};

    use crate::Ratio;

    pub(crate) fn serialize<S: Serializer>(
        times: &[(Box<str>, Ratio)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(times.iter().map(|(name, factor)| (name, factor.as_fraction())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Box<str>, Ratio)>, D::Error> {
        deserializer.deserialize_map(TimesVisitor)
    }

    struct TimesVisitor;

    impl<'de> Visitor<'de> for TimesVisitor {
        type Value = Vec<(Box<str>, Ratio)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of factors")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut times = Vec::with_capacity(map.size_hint().unwrap_or(2));
            while let Some((name, factor)) = map.next_entry::<Box<str>, f64>()? {
                times.push((name, Ratio::from_fraction(factor)));
            }
            Ok(times)
        }
    }
}
