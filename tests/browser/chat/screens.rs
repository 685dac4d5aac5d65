//! The room on paper, in forced colours, and enlarged four times.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::product;
use crate::window::Window;

/// The least and the most pixels of a page that fit on a sheet of paper.
const SHEET_PX: std::ops::RangeInclusive<f64> = 700.0..=1_300.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn printing_shows_all_messages_and_nothing_else() {
    let server = product();
    server.guest("Joan").await.posts_messages("general", 1, 100).await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.reads("line 100").await;
    ada.emulates_media("print", &[]).await;
    let is_shown =
        |css: &str| format!("[...document.querySelectorAll('{css}')].some(part => part.checkVisibility())");
    for part in [".header", ".sidebar", ".composer", ".notices", ".jump"] {
        assert!(!ada.evaluates::<bool>(&is_shown(part)).await, "{part} is printed");
    }
    assert!(ada.evaluates::<bool>(&is_shown(".room h1")).await, "the room is not named");
    let is_whole = "(() => {
        const list = document.querySelector('#timeline');
        const lines = [...document.querySelectorAll('.message')];
        const bottom = Math.max(...lines.map(line => line.getBoundingClientRect().bottom));
        return list.scrollHeight <= list.clientHeight + 1 && lines.length === 100
            && lines.every(line => line.getBoundingClientRect().height > 0)
            && bottom + scrollY <= document.documentElement.scrollHeight + 1;
    })()";
    ada.until("all messages are in sight", is_whole).await;
    let height: f64 =
        ada.evaluates("document.querySelector('#timeline').getBoundingClientRect().height").await;
    ada.emulates_media("", &[]).await;

    let printed = ada.driver.cdp().page().print_to_pdf_base64().await.unwrap();
    let document = BASE64_STANDARD.decode(printed).unwrap();
    let document = String::from_utf8_lossy(&document);
    let sheets = document.matches("/Type /Page").count() - document.matches("/Type /Pages").count();
    let (fewest, most) = (height / SHEET_PX.end(), height / SHEET_PX.start() + 1.0);
    assert!((fewest..=most).contains(&(sheets as f64)), "{sheets} sheets for {height} px");
}

/// A JavaScript expression for the border and outline of the first element that the selector finds.
fn edges(css: &str) -> String {
    format!(
        "(() => {{
            const style = getComputedStyle(document.querySelector({}));
            const names = ['outlineStyle', 'outlineWidth', 'borderTopStyle', 'borderTopWidth', 'borderTopColor',
                'borderLeftStyle', 'borderLeftWidth', 'borderLeftColor', 'backgroundColor', 'forcedColorAdjust'];
            return names.map(name => style[name]).join();
        }})()",
        serde_json::json!(css)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forced_colours_keep_the_current_room_and_the_connection_status_visible() {
    let server = product();
    server.guest("Joan").await.posts("tea", "k", "hello").await;
    let ada = Window::in_general(&server, "Ada").await;
    ada.finds(".room-link[data-room=tea]:not([aria-current])").await;
    ada.finds(".room-link[aria-current=page]").await;
    ada.emulates_media("", &[("forced-colors", "active")]).await;
    ada.until("colours are forced", "matchMedia('(forced-colors: active)').matches").await;
    let here: String = ada.evaluates(&edges(".room-link[aria-current=page]")).await;
    let elsewhere: String = ada.evaluates(&edges(".room-link:not([aria-current])")).await;
    assert_ne!(here, elsewhere, "the current room looks like any other");
    let dot = "(() => {
        const style = getComputedStyle(document.querySelector('.badge-dot'));
        return style.forcedColorAdjust === 'none' || parseFloat(style.borderTopWidth) > 0
            || style.backgroundColor !== getComputedStyle(document.body).backgroundColor;
    })()";
    assert!(ada.evaluates::<bool>(dot).await, "the badge has lost its dot");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zoomed_to_400_percent_there_is_room_for_messages_and_the_composer() {
    let server = product();
    let ada = Window::in_general(&server, "Ada").await;
    ada.resizes_to(320, 225).await;
    ada.writes("small").await;
    ada.reads("small").await;
    ada.until("messages have 90 px", "document.querySelector('#timeline').clientHeight >= 90").await;
    let in_sight = "['#composer', '#send'].every(css => {
        const box = document.querySelector(css).getBoundingClientRect();
        return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight + 1 && box.right <= innerWidth;
    })";
    ada.until("the composer is in sight", in_sight).await;
    assert!(ada.evaluates::<bool>("document.scrollingElement.scrollWidth <= innerWidth").await);
}
