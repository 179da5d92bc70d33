//! Each family's prompt for the same conversation.

use super::{Speaker, Template, Turn};

fn said(turns: &[(Speaker, &'static str)]) -> Vec<Turn<'static>> {
    turns.iter().map(|(speaker, text)| Turn { speaker: *speaker, text: (*text).into() }).collect()
}

#[test]
fn a_conversation_in_each_familys_marks() {
    let turns = said(&[
        (Speaker::System, "S"),
        (Speaker::User, "U"),
        (Speaker::Assistant, "A"),
        (Speaker::User, "V"),
    ]);
    let header = |role: &str| format!("<|start_header_id|>{role}<|end_header_id|>\n\n");
    let llama_3 = format!(
        "<|begin_of_text|>{}S<|eot_id|>{}U<|eot_id|>{}A<|eot_id|>{}V<|eot_id|>{}",
        header("system"),
        header("user"),
        header("assistant"),
        header("user"),
        header("assistant")
    );
    let cases = [
        (Template::JOINED, "SUAV"),
        (Template::SPACED, "S U A V"),
        (Template::PARAGRAPHS, "S\n\nU\n\nA\n\nV"),
        (Template::HUMAN, "S\n\nHuman: U\n\nAssistant: A\n\nHuman: V\n\nAssistant:"),
        (
            Template::ALPACA,
            "### Instruction:\nS\n\n### Instruction:\nU\n\n### Response:\nA\n\n### Instruction:\nV\n\n### Response:\n",
        ),
        (Template::TITAN, "\n\nUser: <admin>S</admin>\n\nUser: U\n\nBot: A\n\nUser: V\n\nBot: "),
        (Template::LLAMA_2, "<s>[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST] A </s><s>[INST] V [/INST]"),
        (Template::LLAMA_3, llama_3.as_str()),
        (Template::MISTRAL, "<s>[INST] \nS [/INST]\n[INST] U [/INST]\n A</s> [INST] V [/INST]\n"),
        (
            Template::DEEPSEEK_R1,
            "<｜begin▁of▁sentence｜>S<｜User｜>U<｜Assistant｜>A<｜end▁of▁sentence｜><｜User｜>V<｜Assistant｜><think>\n",
        ),
        (
            Template::CHATML,
            "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n\
             <|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n",
        ),
    ];
    for (template, expected) in cases {
        assert_eq!(template.prompt(&turns), expected);
    }
    assert!(
        Template::LLAMA_4.prompt(&turns).ends_with("V<|eot|><|header_start|>assistant<|header_end|>\n\n")
    );
}

#[test]
fn an_answer_already_begun_goes_on_where_the_marks_allow_it() {
    let turns = said(&[(Speaker::User, "Say a word"), (Speaker::Assistant, "The word is ")]);
    assert_eq!(Template::TITAN.prompt(&turns), "\n\nUser: Say a word\n\nBot: The word is ");
    assert_eq!(Template::SPACED.prompt(&turns), "Say a word The word is ");
    assert!(Template::CHATML.prompt(&turns).ends_with("The word is <|im_end|>\n<|im_start|>assistant\n"));
}

#[test]
fn a_late_system_prompt_stands_where_the_family_wants_it() {
    let turns = said(&[(Speaker::User, "U"), (Speaker::System, "S")]);
    assert!(Template::DEEPSEEK_R1.prompt(&turns).starts_with("<｜begin▁of▁sentence｜>S<｜User｜>U"));
    assert!(Template::CHATML.prompt(&turns).starts_with("<|im_start|>user\nU"));
    assert!(Template::TITAN.prompt(&said(&[(Speaker::Assistant, "A")])).starts_with("\n\nUser: \n\nBot: A"));
}

#[test]
fn llamas_are_told_by_their_name() {
    for (name, expected) in [
        ("meta.llama2-13b-chat-v1", Template::LLAMA_2),
        ("meta.llama3-70b-instruct-v1:0", Template::LLAMA_3),
        ("us.meta.llama3-3-70b-instruct-v1:0", Template::LLAMA_3),
        ("meta-llama/Llama-3.1-8B", Template::LLAMA_3),
        ("us.meta.llama4-scout-17b-instruct-v1:0", Template::LLAMA_4),
    ] {
        assert_eq!(Template::of_llama(name), expected, "{name}");
    }
}

#[test]
fn deepseek_goes_on_behind_what_a_tool_said() {
    let prompt = Template::DEEPSEEK_R1.prompt(&said(&[(Speaker::User, "U"), (Speaker::Tool, "20")]));
    assert!(prompt.ends_with("20<｜tool▁output▁end｜><｜tool▁outputs▁end｜>"), "{prompt}");
}

#[test]
fn a_host_of_many_families_tells_them_by_name() {
    let untold = Template { parts: "", ..Template::SPACED };
    for (name, template) in [
        ("meta/llama-2-70b-chat", Template::LLAMA_2),
        ("codellama/CodeLlama-34b-Instruct-hf", Template::LLAMA_2),
        ("meta/meta-llama-3-70b-instruct", Template::LLAMA_3),
        ("meta/llama-4-maverick-instruct", Template::LLAMA_4),
        ("mistralai/mistral-7b-instruct-v0.2", Template::MISTRAL),
        ("mistralai/Mixtral-8x7B-Instruct", Template::MISTRAL),
        ("qwen/qwen2.5-72b-instruct", Template::CHATML),
        ("gryphe/mythomax-l2-13b", Template::ALPACA),
        ("llama-3-8b", untold),
        ("jumpstart-dft-meta-textgeneration-llama-2-7b", untold),
        ("chatdolphin", untold),
    ] {
        assert_eq!(Template::of_name(name), template, "{name}");
    }
}
