//! Where servers of gRPC are, and whether they are reached over TLS.

use llm_providers::{Registry, Target};

use crate::config::{Env, Loaded, Severity, parse};

fn load(params: &str, variables: &[(&str, &str)]) -> Loaded {
    let env: Env = variables.iter().copied().chain([("LITELLM_MASTER_KEY", "sk-of-the-tests")]).collect();
    let text = format!("model_list: [{{model_name: m, litellm_params: {{model: nvidia_riva/m{params}}}}}]");
    parse(&text, &env, &Registry::built_in())
}

fn target(params: &str, variables: &[(&str, &str)]) -> Target {
    let loaded = load(params, variables);
    let config = loaded.config.unwrap_or_else(|| panic!("{params}: {:#?}", loaded.problems));
    Target::clone(&config.models[0].deployment.target)
}

#[test]
fn a_function_of_the_cloud_is_reached_over_tls_and_a_server_of_ones_own_is_not() {
    let from_env = [("NVIDIA_RIVA_API_BASE", "riva:50051")];
    for (params, variables, expected) in [
        ("", &[][..], "grpcs://grpc.nvcf.nvidia.com:443"),
        (", api_base: 'localhost:50051'", &[], "grpc://localhost:50051"),
        (", api_base: 'localhost:50051', use_ssl: true", &[], "grpcs://localhost:50051"),
        (
            ", api_base: 'grpc.nvcf.nvidia.com:443', nvcf_function_id: f-1",
            &[],
            "grpcs://grpc.nvcf.nvidia.com:443",
        ),
        (", api_base: 'proxy:80', nvcf_function_id: f-1, use_ssl: false", &[], "grpc://proxy:80"),
        (", api_base: 'https://riva.example'", &[], "grpcs://riva.example"),
        ("", &from_env, "grpc://riva:50051"),
        (", use_ssl: true", &from_env, "grpcs://riva:50051"),
    ] {
        assert_eq!(target(params, variables).base_url, expected, "{params} {variables:?}");
    }
}

#[test]
fn the_function_and_the_key_are_the_operators() {
    let found = target(", nvcf_function_id: f-1, api_key: k", &[]);
    assert_eq!(found.headers["function-id"], "f-1");
    assert!(found.defaults.is_empty(), "{:?}", found.defaults);
    assert_eq!(found.key.unwrap().reveal(), "k");
    let own = target(", api_base: 'localhost:50051'", &[]);
    assert!(own.key.is_none() && own.headers.is_empty());
}

#[test]
fn what_is_no_place_is_an_error() {
    let loaded = load(", api_base: 'ftp://riva'", &[]);
    assert!(loaded.config.is_none());
    let error = loaded.problems.iter().find(|problem| problem.severity == Severity::Error).unwrap();
    assert!(error.path.ends_with("api_base"), "{}", error.path);
    assert_eq!(error.expected, "expected `host:port`");
}
