//! Where doors lead, and to which models.

use std::sync::Arc;

use crate::providers::built_in;
use crate::{Auth, DialectId, Target};

fn through(provider: &str, model: &str, dialect: DialectId, base: Option<&str>) -> Option<(String, Auth)> {
    let spec = Arc::new(built_in().find(|spec| spec.id.as_str() == provider).unwrap().clone());
    let door =
        spec.quirks.doors.iter().find(|door| door.dialect == dialect && door.leads_to(model)).cloned()?;
    let mut target = Target::bare(Arc::clone(&spec), model);
    if let Some(base) = base {
        target.base_url = spec.full_base_url(Some(base));
    }
    let behind = target.through(&door);
    assert_eq!(behind.spec.dialect, dialect);
    Some((behind.base_url, behind.spec.auth.clone()))
}

#[test]
fn anthropics_callers_find_the_vendors_that_speak_it() {
    let messages = |provider: &str, base| through(provider, "m", DialectId::Anthropic, base).unwrap();
    let own = Auth::Header("x-api-key".into());
    let anthropic = "https://api.deepseek.com/anthropic".to_owned();
    assert_eq!(messages("deepseek", None), (anthropic.clone(), own.clone()));
    assert_eq!(messages("deepseek", Some("https://api.deepseek.com/anthropic")), (anthropic, own.clone()));
    assert_eq!(messages("minimax", None), ("https://api.minimax.io/anthropic".to_owned(), own));
    assert_eq!(messages("cortecs", None), ("https://api.cortecs.ai".to_owned(), Auth::Bearer));
    assert_eq!(messages("edenai", None), ("https://api.edenai.run/v3".to_owned(), Auth::Bearer));
}

#[test]
fn callers_of_responses_find_the_vendors_and_models_that_speak_it() {
    let responses =
        |provider: &str, model: &str, base| through(provider, model, DialectId::OpenaiResponses, base);
    let base = |found: Option<(String, Auth)>| found.map(|(base, _)| base);
    let foundry = Some("https://p.services.ai.azure.com");
    assert_eq!(
        base(responses("azure_ai", "gpt-5", foundry)).as_deref(),
        Some("https://p.services.ai.azure.com/openai/v1")
    );
    assert_eq!(responses("azure_ai", "Mistral-Large", foundry), None);
    assert_eq!(base(responses("perplexity", "sonar", None)).as_deref(), Some("https://api.perplexity.ai/v1"));
    let workspace = Some("https://w.azuredatabricks.net");
    assert_eq!(
        base(responses("databricks", "databricks-gpt-5", workspace)).as_deref(),
        Some("https://w.azuredatabricks.net/serving-endpoints")
    );
    assert_eq!(responses("databricks", "databricks-claude-sonnet-4", workspace), None);
}
