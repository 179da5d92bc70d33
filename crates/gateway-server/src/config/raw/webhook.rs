//! `general_settings.custom_auth_settings`: how the webhook of `custom_auth` is asked.

catalogue! {
    AUTH_WEBHOOK
    mode Text "on" served: "`on` asks the webhook about everything but the master key, `auto` about what is neither a virtual key nor a JWT, `off` never.";
    secret Secret "" served: "Signs requests to the webhook (HMAC-SHA256), so that it knows who asks.";
    timeout Seconds "5" served: "Seconds the webhook may take; a call is refused then.";
    cache_ttl Seconds "10" served: "Seconds for which its answer to one secret and path counts; 0 asks every time.";
}
