//! Messages on standard input and output. The protocol's own transport frames them; this bounds what a
//! client can make the server hold: no more requests are read while so many are being answered, or wait to be
//! taken by a client that doesn't read.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::RoleServer;
use rmcp::model::{
    ClientNotification, ClientRequest, GetMeta, JsonRpcMessage, ProtocolVersion, RequestId,
};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{Stdin, Stdout};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest message that is read; a longer one is passed over.
const LINE_BYTES: usize = 1024 * 1024;
/// How many requests are held at once.
const REQUESTS: usize = 32;

type Messages = AsyncRwTransport<RoleServer, Stdin, Stdout>;

/// The requests that were read and not answered yet, each with its place among those that may be.
type Open = Arc<Mutex<HashMap<RequestId, OwnedSemaphorePermit>>>;

/// Standard input and output.
pub(super) struct Stdio {
    messages: Messages,
    places: Arc<Semaphore>,
    open: Open,
    /// Whether a request came that begins a conversation. Before it, whatever else comes would end the
    /// server.
    has_begun: bool,
}

impl Stdio {
    /// Takes both. Only within a runtime.
    pub(super) fn new() -> Self {
        let messages = Messages::new(tokio::io::stdin(), tokio::io::stdout());
        Self {
            messages: messages.with_max_line_length(LINE_BYTES),
            places: Arc::new(Semaphore::new(REQUESTS)),
            open: Open::default(),
            has_begun: false,
        }
    }

    /// Lets a message through, or passes over it.
    fn admit(
        &mut self,
        message: &RxJsonRpcMessage<RoleServer>,
        place: OwnedSemaphorePermit,
    ) -> Admission {
        match message {
            JsonRpcMessage::Request(request) => {
                let mut open = locked(&self.open);
                // A second request of the same id could not be told from the first.
                if open.contains_key(&request.id) {
                    return Admission::Refused;
                }
                self.has_begun |= begins(&request.request);
                open.insert(request.id.clone(), place);
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) =
                    &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    // Nothing will be answered.
                    locked(&self.open).remove(id);
                }
                if !self.has_begun {
                    return Admission::Refused;
                }
            }
            // Nothing is asked of the client.
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => return Admission::Refused,
        }
        Admission::Admitted
    }
}

/// Whether a message is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Admitted,
    Refused,
}

fn locked(open: &Open) -> std::sync::MutexGuard<'_, HashMap<RequestId, OwnedSemaphorePermit>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a request begins a conversation: the one of older versions of the protocol that does nothing
/// else, or, since `2026-07-28`, any that says itself what it needs.
fn begins(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let missing = meta.missing_required_keys(&ProtocolVersion::V_2026_07_28);
            let version = meta.protocol_version();
            let is_known = |it| ProtocolVersion::KNOWN_VERSIONS.contains(&it);
            missing.is_empty() && version.is_some_and(is_known)
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let id = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let place = id.and_then(|id| locked(&self.open).remove(id));
        let sent = self.messages.send(message);
        async move {
            let sent = sent.await;
            // Only now: the client took it.
            drop(place);
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            // Whoever waits here is often told to wait anew: nothing must be lost by that.
            let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
            let message = self.messages.receive().await?;
            if self.admit(&message, place) == Admission::Admitted {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.messages.close().await
    }
}
