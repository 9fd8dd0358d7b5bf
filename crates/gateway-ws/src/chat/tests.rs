//! Every frame of `docs/gateway-chat.md`, as it stands on the wire.
