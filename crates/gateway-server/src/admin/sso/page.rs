//! The few pages people see. Pure; all that comes from elsewhere is escaped.

/// A page with a heading and a sentence.
pub(super) fn plain(heading: &str, sentence: &str) -> String {
    whole(heading, &format!("<p>{}</p>", escaped(sentence)))
}

/// Somebody is signed in.
pub(super) fn signed_in(who: &str, role: &str, key: &str, expires: &str) -> String {
    let [who, role, key, expires] = [who, role, key, expires].map(escaped);
    let body = format!(
        "<p>You are <b>{who}</b>, as <b>{role}</b>.</p><p>The key of this session, until {expires}:</p>\
         <pre>{key}</pre><p>It manages what your role may manage. <code>POST /session/logout</code> ends it.</p>"
    );
    whole("Signed in", &body)
}

/// The form for name and password.
pub(super) fn password() -> String {
    let body = "<form method=\"post\" action=\"/login\"><p><label>Name <input name=\"username\" autocomplete=\"username\" \
                required></label></p><p><label>Password <input name=\"password\" type=\"password\" \
                autocomplete=\"current-password\" required></label></p><p><button>Sign in</button></p></form>";
    whole("Sign in", body)
}

/// The form for a password of one's own.
pub(super) fn set_password(link: &str, user: &str, word: &str, who: &str) -> String {
    let [link, user, word, who] = [link, user, word, who].map(escaped);
    let body = format!(
        "<p>You are <b>{who}</b>.</p><form method=\"post\" action=\"/onboarding/claim_token\">\
         <input type=\"hidden\" name=\"invitation_link\" value=\"{link}\">\
         <input type=\"hidden\" name=\"user_id\" value=\"{user}\">\
         <input type=\"hidden\" name=\"token\" value=\"{word}\">\
         <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"new-password\" required></label></p>\
         <p><button>Set it and sign in</button></p></form>"
    );
    whole("Choose a password", &body)
}

/// A command line waits for the code it shows.
pub(super) fn confirm(login: &str, ticket: &str, who: &str) -> String {
    let [login, ticket, who] = [login, ticket, who].map(escaped);
    let body = format!(
        "<p>You are <b>{who}</b>. Type the code that your own terminal shows. If somebody sent you here, close this \
         page: whoever has the code gets a key of yours.</p><form method=\"post\" action=\"/sso/cli/complete/{login}\">\
         <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\"><p><input name=\"user_code\" autocomplete=\"off\" \
         placeholder=\"ABCD-EFGH\" required></p><p><button>Give my terminal a key</button></p></form>"
    );
    whole("A command line signs in", &body)
}

fn whole(heading: &str, body: &str) -> String {
    let heading = escaped(heading);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{heading}</title><style>body{{font:16px/1.5 system-ui;max-width:40em;\
         margin:4em auto;padding:0 1em}}pre{{padding:1em;background:#eee;color:#111;overflow:auto}}</style></head>\
         <body><h1>{heading}</h1>{body}</body></html>"
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
