//! What others say does not become part of a page.

#[test]
fn nothing_that_is_said_becomes_markup() {
    let evil = "<script>\"'&";
    for page in
        [super::plain(evil, evil), super::signed_in(evil, evil, evil, evil), super::confirm(evil, evil, evil)]
    {
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;&quot;&#39;&amp;"), "{page}");
    }
}
