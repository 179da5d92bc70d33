//! `router_settings.routing_webhook`: how the program of the strategy `custom` is asked.

catalogue! {
    ROUTING_WEBHOOK
    url Text "" served: "Where the program is asked which deployments of a group should serve.";
    secret Secret "" served: "Signs what it is asked (HMAC-SHA256), so that it knows who asks.";
    timeout Seconds "0.2" served: "Seconds it may take; the usual strategy picks then.";
}
