//! Signing in at an OpenID provider: the code flow with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636).
//!
//! What must be remembered while somebody is there travels in a cookie of theirs, encrypted with the server's key: nothing
//! is written for people who only start, and any replica ends what another began. No redirect of the provider's own
//! requests is followed. Who an identity is, is the roster's.

use crate::sign_in::key::Key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, TokenResponse as _,
};
use review::words::Moment;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Who went to the provider must be back by then.
const AWAY_SECONDS: i64 = 10 * 60;
/// What two clocks may differ by.
const SKEW_SECONDS: i64 = 60;
/// What the provider publishes of itself is asked for anew after so long: its keys change.
const KNOWN_SECONDS: i64 = 60 * 60;
/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer of it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// An OpenID provider, and who we are to it.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Its address, as its tokens say it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// What people call it.
    pub name: String,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The provider, as it is known.
pub(crate) struct Provider {
    pub(crate) settings: ProviderSettings,
    redirect: String,
    http: reqwest::Client,
    known: Mutex<Option<(Moment, Arc<Client>)>>,
}

/// What somebody takes along to the provider and back, in a cookie.
#[derive(Serialize, Deserialize)]
struct Away {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
    began: Moment,
    /// The session that is to be proved anew; none where one is to begin.
    proving: Option<String>,
}

/// Where to send somebody, and what they take along.
pub(crate) struct Going {
    pub(crate) address: String,
    pub(crate) cookie: String,
}

/// Who came back.
pub(crate) struct Back {
    /// `ISSUER|SUBJECT`, as the roster has it.
    pub(crate) identity: String,
    /// They proved who they are since they left.
    pub(crate) proved: bool,
    pub(crate) next: String,
    pub(crate) proving: Option<String>,
}

/// Why somebody could not sign in at the provider.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    /// It cannot be used as it is.
    #[error("the sign-in provider cannot be asked: {0}")]
    Unreachable(String),
    /// They come with nothing that began here, or too late.
    #[error("this sign-in did not begin in this browser, or more than ten minutes ago: begin again")]
    NotBegun,
    /// The provider says why.
    #[error("the sign-in provider refused: {0}")]
    Refused(String),
    /// What it sent is not to be believed.
    #[error("what the sign-in provider sent does not hold: {0}")]
    Unbelievable(String),
}

fn unreachable(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unreachable(error.to_string())
}

fn unbelievable(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unbelievable(error.to_string())
}

#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Failed(#[from] reqwest::Error),
    #[error("its answer is longer than a mebibyte")]
    Long,
    #[error("its answer cannot be read: {0}")]
    Odd(String),
}

async fn ask(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut response = http.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(HttpError::Long);
        }
    }
    let mut answer = HttpResponse::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    if answer.status().is_redirection() {
        return Err(HttpError::Odd("it sends us elsewhere, and we do not go".to_owned()));
    }
    Ok(answer)
}

impl Provider {
    /// A provider whose people come back to `base`.
    pub(crate) fn new(settings: ProviderSettings, base: &str) -> Result<Self, ProviderError> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
        let redirect = format!("{base}/sign-in/provider/back");
        Ok(Self { settings, redirect, http: http.map_err(unreachable)?, known: Mutex::new(None) })
    }

    /// What the provider publishes of itself, asked for when it is needed and kept for a while.
    async fn client(&self, now: Moment) -> Result<Arc<Client>, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some((at, client)) = &*known
            && now.0 - at.0 < KNOWN_SECONDS
        {
            return Ok(Arc::clone(client));
        }
        let ProviderSettings { issuer, client_id, client_secret, .. } = &self.settings;
        let issuer = IssuerUrl::new(issuer.clone()).map_err(unreachable)?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &|request| ask(self.http.clone(), request)).await;
        let metadata = metadata.map_err(|error| unreachable(chain(&error)))?;
        let (id, secret) = (ClientId::new(client_id.clone()), ClientSecret::new(client_secret.clone()));
        let redirect = RedirectUrl::new(self.redirect.clone()).map_err(unreachable)?;
        let client = CoreClient::from_provider_metadata(metadata, id, Some(secret)).set_redirect_uri(redirect);
        let client = Arc::new(client);
        *known = Some((now, Arc::clone(&client)));
        Ok(client)
    }

    /// Where somebody goes to sign in; with `proving`, to prove anew that they are who this session is of.
    pub(crate) async fn going(
        &self,
        key: &Key,
        next: &str,
        proving: Option<String>,
        now: Moment,
        mut drawn: impl FnMut(usize) -> String,
    ) -> Result<Going, ProviderError> {
        let client = self.client(now).await?;
        let verifier = drawn(32);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (state, nonce) = (drawn(32), drawn(32));
        let (given_state, given_nonce) = (state.clone(), nonce.clone());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, move || CsrfToken::new(given_state), move || Nonce::new(given_nonce));
        let request = request.set_pkce_challenge(challenge);
        let request = match proving {
            Some(_) => {
                request.add_prompt(openidconnect::core::CoreAuthPrompt::Login).set_max_age(Duration::from_secs(0))
            }
            None => request,
        };
        let (address, ..) = request.url();
        let away = Away { state, nonce, verifier, next: next.to_owned(), began: now, proving };
        let text = serde_json::to_vec(&away).map_err(unreachable)?;
        let mut nonce = [0; 24];
        for (to, from) in nonce.iter_mut().zip(URL_SAFE_NO_PAD.decode(drawn(24)).unwrap_or_default()) {
            *to = from;
        }
        let sealed = key.seal("away", "provider", nonce, &text).ok_or_else(|| unreachable("it cannot be sealed"))?;
        Ok(Going { address: address.to_string(), cookie: URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// Who comes back, with what the provider gave them and the cookie they took along.
    pub(crate) async fn back(
        &self,
        key: &Key,
        cookie: &str,
        (state, code, refused): (&str, &str, Option<&str>),
        now: Moment,
    ) -> Result<Back, ProviderError> {
        use openidconnect::core::CoreIdTokenVerifier;
        let sealed = URL_SAFE_NO_PAD.decode(cookie).map_err(|_| ProviderError::NotBegun)?;
        let text = key.open("away", "provider", &sealed).ok_or(ProviderError::NotBegun)?;
        let away: Away = serde_json::from_slice(&text).map_err(|_| ProviderError::NotBegun)?;
        let same: bool = subtle::ConstantTimeEq::ct_eq(away.state.as_bytes(), state.as_bytes()).into();
        if !same || !(0..=AWAY_SECONDS).contains(&(now.0 - away.began.0)) {
            return Err(ProviderError::NotBegun);
        }
        if let Some(refused) = refused {
            let plain = refused.chars().filter(|sign| sign.is_ascii_alphanumeric() || "_- ".contains(*sign));
            return Err(ProviderError::Refused(plain.take(100).collect()));
        }
        let client = self.client(now).await?;
        let http = |request| ask(self.http.clone(), request);
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(unreachable)?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(away.verifier));
        let answer = exchange.request_async(&http).await.map_err(|error| unbelievable(chain(&error)))?;
        let token = answer.id_token().ok_or_else(|| unbelievable("there is no ID token in it"))?;
        let verifier: CoreIdTokenVerifier<'_> = client.id_token_verifier();
        // One clock for everything that is of the pages: what the token says of times is held against it too.
        let here = chrono::DateTime::from_timestamp(now.0, 0).unwrap_or_default();
        let verifier = verifier.set_time_fn(move || here);
        let claims = token.claims(&verifier, &Nonce::new(away.nonce)).map_err(|error| unbelievable(chain(&error)))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(unbelievable)?;
            let signed_with = token.signing_key(&verifier).map_err(unbelievable)?;
            let found = AccessTokenHash::from_token(answer.access_token(), algorithm, signed_with);
            if found.map_err(unbelievable)? != *expected {
                return Err(unbelievable("its two tokens do not belong together"));
            }
        }
        let proved = claims.auth_time().is_some_and(|at| at.timestamp() >= away.began.0 - SKEW_SECONDS);
        if away.proving.is_some() && !proved {
            return Err(unbelievable("you did not sign in there anew"));
        }
        let identity = format!("{}|{}", claims.issuer().as_str(), claims.subject().as_str());
        Ok(Back { identity, proved, next: away.next, proving: away.proving })
    }
}

/// An error with what caused it: the outermost alone says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
