//! Who is asking: a cookie that leads to a person, and the three verbs of `/api/me`.

use std::borrow::Cow;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::{DisplayName, ErrorCode, Identity, Millis, NewIdentity};
use time::Duration;
use tracing::Span;
use tracing::field::display;

use crate::detached::to_the_end;
use crate::http::rates::address;
use crate::http::state::{DAY_MS, SIGN_IN_MS_MAX};
use crate::http::{Answer, ApiError, AppState, Body, ClientIp, Described, Operation, Purpose, Refusal};
use crate::people::TokenHash;
use crate::random::random_text;
use crate::realtime::{SignIn, Visitor};

/// The cookie where nothing is encrypted, as the documents of the contract name it: the number is the port that the node
/// listens on, since to a browser all ports of a host are one place.
pub const COOKIE: &str = "duplex-3000";
/// The cookie under TLS: a browser takes a cookie of such a name only from this very host, and sends it to no other.
pub const COOKIE_UNDER_TLS: &str = "__Host-duplex";
/// Begins the name of the cookie where nothing is encrypted, before the port.
const COOKIE_BEGINS: &str = "duplex";
/// 22 of 62 letters and digits: 131 bits.
const TOKEN_CHARS: usize = 22;

/// Anyone who is signed in; everybody else gets 401.
impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Visitor, ApiError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Ok(from) = ClientIp::from_request_parts(parts, app).await;
        let (visitor, _) = find(app, &jar, from).await?.ok_or_else(|| {
            ApiError::new(
                ErrorCode::Unauthenticated,
                "sign in first: POST /api/me with a name, and keep its cookie",
            )
        })?;
        Ok(visitor)
    }
}

impl Described for Visitor {
    fn describe(operation: &mut Operation<'_>) {
        operation.needs_sign_in();
    }
}

/// GET: who I am; 204 when nobody. Renews a sign-in that is a day old.
pub async fn me(
    State(app): State<AppState>,
    jar: CookieJar,
    from: ClientIp,
    purpose: Purpose,
) -> Result<Answer<Me>, ApiError> {
    let Some((visitor, renewed_at)) = find(&app, &jar, from).await? else {
        return Ok(Answer::of(StatusCode::NO_CONTENT));
    };
    if purpose == Purpose::Socket {
        drop(app.admit_reader(from)?);
    }
    let now = (app.clock)();
    // Also where a clock that was ahead renewed it: the browser keeps the cookie by its own clock.
    if (now - renewed_at).abs() < DAY_MS {
        return Ok(Answer::of(Json(visitor.identity)));
    }
    if let Err(error) = app.people.renew(visitor.sign_in.0, now).await {
        // There will be another day; who cannot be written down is signed in all the same.
        tracing::warn!(%error, "a sign-in could not be renewed");
        return Ok(Answer::of(Json(visitor.identity)));
    }
    let token = jar.get(&cookie_name(&app)).map(Cookie::value).unwrap_or_default().to_owned();
    Ok(Answer::of((jar.add(cookie(&app, token)), Json(visitor.identity))))
}

/// What [`me`] answers.
pub enum Me {}

impl Described for Me {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<Identity>(StatusCode::OK, "Who you are.");
        operation.answers_header(
            StatusCode::OK,
            "Set-Cookie",
            cookie_schema(),
            "Once a day: the sign-in, renewed.",
        );
        operation.answers(StatusCode::NO_CONTENT, "Nobody is signed in.");
    }
}

/// POST: makes a guest (201), or renames whoever asks (200).
pub async fn name_me(
    State(app): State<AppState>,
    ClientIp(from): ClientIp,
    jar: CookieJar,
    caller: Caller,
    Body(new): Body<NewIdentity>,
) -> Result<Answer<NameMe>, ApiError> {
    // What looks the same is the same, however a keyboard composed it (Unicode Standard Annex 15).
    let name = ComposingNormalizerBorrowed::new_nfc().normalize(&new.name);
    let name = DisplayName::parse(&name).map_err(|error| ApiError::field("name", error))?;
    if let Caller::Known(visitor) = caller {
        let renamed = Identity { name, ..visitor.identity };
        let (app, told) = (app.clone(), renamed.clone());
        to_the_end(async move {
            app.people.rename(&told.id, told.name.clone()).await?;
            app.node.rename(&told.id, &told.name);
            Ok::<_, ApiError>(())
        })
        .await?;
        return Ok(Answer::of(Json(renamed)));
    }
    let token = random_text(TOKEN_CHARS);
    let identity = app.people.make_guest(name, hash(&token), (app.clock)()).await?;
    Span::current().record("user", display(&identity.id));
    tracing::info!(%from, "a guest came in");
    Ok(Answer::of((StatusCode::CREATED, jar.add(cookie(&app, token)), Json(identity))))
}

/// What [`name_me`] answers.
pub enum NameMe {}

impl Described for NameMe {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers_json::<Identity>(StatusCode::OK, "You have another name now.");
        operation.answers_json::<Identity>(StatusCode::CREATED, "You are a guest now, with a cookie.");
        operation.answers_header(StatusCode::CREATED, "Set-Cookie", cookie_schema(), "The sign-in: keep it.");
    }
}

/// DELETE: signs out. The token is worth nothing from now on, and the sockets it opened are closed.
pub async fn sign_out(State(app): State<AppState>, jar: CookieJar) -> Result<Answer<SignOut>, ApiError> {
    if let Some(token) = jar.get(&cookie_name(&app)) {
        let (app, hash) = (app.clone(), hash(token.value()));
        to_the_end(async move {
            app.people.end(hash).await?;
            app.node.end_sign_in(SignIn(hash));
            Ok::<_, ApiError>(())
        })
        .await?;
    }
    let mut gone = cookie(&app, String::new());
    gone.make_removal();
    Ok(Answer::of((StatusCode::NO_CONTENT, jar.add(gone))))
}

/// What [`sign_out`] answers.
pub enum SignOut {}

impl Described for SignOut {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers(StatusCode::NO_CONTENT, "You are nobody now; the cookie is worth nothing.");
        operation.answers_header(
            StatusCode::NO_CONTENT,
            "Set-Cookie",
            cookie_schema(),
            "Removes the cookie.",
        );
    }
}

fn cookie_schema() -> Value {
    json!({ "type": "string" })
}

/// Whoever names themselves: known already, or a guest whose address may still make one.
pub enum Caller {
    /// Signed in.
    Known(Visitor),
    /// Not yet.
    Guest,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Caller, ApiError> {
        let Ok(from) = ClientIp::from_request_parts(parts, app).await;
        if let Some((visitor, _)) = find(app, &CookieJar::from_headers(&parts.headers), from).await? {
            // Each name is written to disk, and told to everybody who is with them.
            app.rates
                .publish(&visitor.identity.id)
                .inspect_err(|_| app.meters.refused(Refusal::IdentityPublishes))?;
            return Ok(Caller::Known(visitor));
        }
        app.rates.guest(from.0).inspect_err(|_| app.meters.refused(Refusal::AddressGuests))?;
        Ok(Caller::Guest)
    }
}

impl Described for Caller {
    fn describe(operation: &mut Operation<'_>) {
        operation.knows_sign_in();
        operation.refuses(ErrorCode::TooMany);
    }
}

async fn find(
    app: &AppState,
    jar: &CookieJar,
    from: ClientIp,
) -> Result<Option<(Visitor, Millis)>, ApiError> {
    let Some(token) = jar.get(&cookie_name(app)) else { return Ok(None) };
    let hash = hash(token.value());
    let found = app.signed_in(hash).await?;
    Ok(found.map(|(identity, renewed_at)| {
        // Every line of this request names them from here on.
        Span::current().record("user", display(&identity.id));
        (Visitor { identity, sign_in: SignIn(hash), from: address(from.0) }, renewed_at)
    }))
}

fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

fn cookie_name(app: &AppState) -> Cow<'static, str> {
    if app.transport.is_secure() {
        COOKIE_UNDER_TLS.into()
    } else {
        format!("{COOKIE_BEGINS}-{}", app.port).into()
    }
}

fn cookie(app: &AppState, token: String) -> Cookie<'static> {
    Cookie::build((cookie_name(app), token))
        .path("/")
        .secure(app.transport.is_secure())
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(Duration::milliseconds(SIGN_IN_MS_MAX))
        .build()
}
