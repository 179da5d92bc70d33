//! Whatever is encoded comes back; whatever is damaged does not.

use llm_types::Money;
use proptest::prelude::*;

use super::super::frame::{self, Frame};
use super::super::segment::visit;
use super::super::{CallId, End, Flags, Intent, Outcome, Owner, Record, Tokens};
use super::{LONGEST_NAME, MAX_JSON, decode, encode_cancel};

/// The texts of a record, to borrow from.
fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("\\PC{0,60}", 16)
}

fn owner(texts: &[String]) -> Owner<'_> {
    Owner {
        key: &texts[0],
        user_id: &texts[1],
        team_id: &texts[2],
        organization_id: &texts[3],
        end_user: &texts[4],
        project_id: &texts[15],
        parts: &texts[14],
    }
}

fn outcome<'a>(texts: &'a [String], id: u128, numbers: [u64; 8], cost: Option<i64>) -> Outcome<'a> {
    let ends = [End::Completed, End::Cut, End::HungUp, End::Failed, End::Unknown];
    let bit = |index: u32| numbers[0] & (1 << index) != 0;
    Outcome {
        id: CallId(id),
        call_id: &texts[5],
        started_ms: numbers[1].cast_signed(),
        duration_us: numbers[2],
        first_byte_us: bit(9).then_some(numbers[3] >> 1),
        owner: owner(texts),
        model_group: &texts[6],
        model: &texts[7],
        provider: &texts[8],
        deployment: &texts[9],
        call_type: &texts[10],
        end: ends[usize::try_from(numbers[4] % 5).unwrap()],
        status: u16::try_from(numbers[4] % 600).unwrap(),
        error: &texts[11],
        flags: Flags {
            stream: bit(0),
            estimated: bit(1),
            unpriced: bit(2),
            unknown_outcome: bit(3),
            cache_hit: bit(4),
        },
        tokens: Tokens {
            input: numbers[3],
            output: numbers[4],
            cache_read: numbers[5],
            cache_write: numbers[6],
            reasoning: numbers[7],
        },
        cost: cost.filter(|cost| *cost != i64::MIN).map(Money),
        retries: 7,
        fallbacks: 65_535,
        usage: &texts[12],
        tags: &texts[13],
        metadata: &texts[14],
        session: &texts[11],
        tools: &texts[13],
    }
}

proptest! {
    #[test]
    fn records_come_back(texts in texts(), id: u128, numbers: [u64; 8], cost: Option<i64>) {
        let outcome = outcome(&texts, id, numbers, cost);
        let intent = Intent {
            id: CallId(id),
            started_ms: numbers[0].cast_signed(),
            reserved: Money(numbers[1].cast_signed()),
            reserved_input_tokens: numbers[2],
            reserved_output_tokens: numbers[3],
            owner: owner(&texts),
            model_group: &texts[5],
            call_type: &texts[6],
            stream: numbers[4] % 2 == 0,
        };
        let mut bytes = Vec::new();
        intent.encode(&mut bytes);
        outcome.encode(&mut bytes);
        encode_cancel(CallId(id), &mut bytes);

        let mut records = Vec::new();
        let read = visit(&bytes, |_, payload| { records.push(decode(payload)); true });
        prop_assert_eq!(read, bytes.len());
        let expected = [Record::Intent(intent), Record::Outcome(outcome), Record::Cancel(CallId(id))];
        prop_assert_eq!(records, expected.map(Some));
    }

    #[test]
    fn a_torn_end_is_never_a_record(texts in texts(), id: u128, numbers: [u64; 8], cut: prop::sample::Index) {
        let mut bytes = Vec::new();
        outcome(&texts, id, numbers, Some(1)).encode(&mut bytes);
        let whole = bytes.len();
        outcome(&texts, !id, numbers, Some(2)).encode(&mut bytes);
        bytes.truncate(whole + cut.index(bytes.len() - whole));
        prop_assert_eq!(visit(&bytes, |_, _| true), whole);
        bytes.resize(bytes.len() + 4096, 0);
        prop_assert_eq!(visit(&bytes, |_, _| true), whole, "zeros that a file system left behind");
    }

    #[test]
    fn a_changed_byte_is_noticed(texts in texts(), id: u128, at: prop::sample::Index, change in 1u8..) {
        let mut bytes = Vec::new();
        outcome(&texts, id, [1; 8], None).encode(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        let whole = matches!(frame::read(&bytes), Frame::Whole { .. });
        prop_assert!(!whole);
    }

    #[test]
    fn any_payload_is_read_without_panic(payload: Vec<u8>) {
        let _ = decode(&payload);
        let _ = visit(&payload, |_, _| true);
    }
}

#[test]
fn long_texts_are_cut_at_a_character_and_long_json_is_left_out() {
    let name = format!("a{}", "ö".repeat(200));
    let json = format!("[{}1]", "1,".repeat(MAX_JSON / 2));
    let mut outcome = Outcome::of(CallId(1));
    outcome.model = &name;
    outcome.usage = &json;
    outcome.tags = "[\"kept\"]";
    let mut bytes = Vec::new();
    outcome.encode(&mut bytes);
    let Frame::Whole { payload, .. } = frame::read(&bytes) else { panic!("a whole record") };
    let Some(Record::Outcome(read)) = decode(payload) else { panic!("an outcome") };
    assert_eq!(read.model, &name[..LONGEST_NAME]);
    assert_eq!((read.usage, read.tags), ("", "[\"kept\"]"));
}

/// Prints the cost of encoding; run it with `--release`. In a debug build it only proves that it ends.
#[test]
fn encoding_is_quick() {
    let hash = "0123456789abcdef".repeat(4);
    let owner = Owner { key: &hash, user_id: "default_user_id", team_id: "team-1", ..Owner::default() };
    let mut outcome = Outcome::of(CallId::at(1_800_000_000_000, 77));
    outcome.owner = owner;
    outcome.model_group = "gpt-4o-mini";
    outcome.model = "gpt-4o-mini-2024-07-18";
    outcome.provider = "openai";
    outcome.deployment = "3f6c1a2b9d";
    outcome.call_type = "acompletion";
    let intent = Intent {
        id: outcome.id,
        started_ms: 1_800_000_000_000,
        reserved: Money(1_000),
        reserved_input_tokens: 10,
        reserved_output_tokens: 100,
        owner,
        model_group: "gpt-4o-mini",
        call_type: "acompletion",
        stream: true,
    };
    let rounds = if cfg!(debug_assertions) { 1_000 } else { 1_000_000 };
    let mut out = Vec::with_capacity(1 << 20);
    for (what, encode) in [
        ("intent", &(|out: &mut Vec<u8>| intent.encode(out)) as &dyn Fn(&mut Vec<u8>)),
        ("outcome", &|out: &mut Vec<u8>| outcome.encode(out)),
    ] {
        let start = std::time::Instant::now();
        let mut bytes = 0;
        for _ in 0..rounds {
            if out.len() > (1 << 19) {
                bytes += out.len();
                out.clear();
            }
            encode(std::hint::black_box(&mut out));
        }
        bytes += out.len();
        out.clear();
        println!("{what}: {:?} each, {} bytes", start.elapsed() / rounds, bytes / rounds as usize);
        assert!(bytes > 0);
    }
}
