//! The services of an AccessToken2, as `accesstoken2` of Agora's token builders packs them.

use std::collections::BTreeMap;

use crate::{BuildError, Refusal, wire::Reader, wire::Writer};

/// Privilege number → life in seconds after the token's issueTs, as written. Where a number
/// repeats on the wire the last one counts, as in the official parsers.
pub type Privileges = BTreeMap<u16, u32>;

/// RTM2 resource type (0 message channel, 1 stream channel, 2 group, 3 server group, 4 user) →
/// permission (0 read, 1 write) → resource names.
pub type Permissions = BTreeMap<u16, BTreeMap<u16, Vec<String>>>;

/// One service of a token and what it permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The privileges granted.
    pub privileges: Privileges,
    /// Which service, and for whom.
    pub kind: ServiceKind,
}

/// The known service types with their fields; the numbers are the wire types.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the wire format, named as there")]
pub enum ServiceKind {
    /// 1: RTC; privileges 1 join, 2 to 4 publish audio, video, data.
    Rtc { channel: String, uid: String },
    /// 2: RTM; privilege 1 login.
    Rtm { user: String },
    /// 3: Streaming.
    Streaming { channel: String, account: String },
    /// 4: FPA.
    Fpa,
    /// 5: Chat; privileges 1 user, 2 app. `user` is empty in an app token.
    Chat { user: String },
    /// 6: FCDN.
    Fcdn { channel: String, account: String },
    /// 7: APaaS.
    Apaas { room: String, user: String, role: i16 },
    /// 8: RTM2 (Signaling 2.x); privilege 1 login.
    Rtm2 { user: String, permissions: Permissions },
    /// 9: Conversational AI.
    ConvoAi,
    /// 10: Speech to text.
    Stt,
}

/// The services read from a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Services {
    /// The known services, in the order of the token; a type may repeat.
    pub known: Vec<Service>,
    /// The first unknown type. A service carries no length, so it and all after it stay unread;
    /// the signature covers them all the same.
    pub stopped_at: Option<u16>,
}

/// Reads `u16` count and that many services; an unknown type ends the reading without error.
///
/// Bytes after the last service are ignored, as the official parsers do: later builders may
/// append fields, and only the issuer can have signed them.
///
/// # Errors
/// [`Refusal::Invalid`] for a truncated list or text that is not UTF-8.
pub fn parse_services(bytes: &[u8]) -> Result<Services, Refusal> {
    let mut reader = Reader::new(bytes);
    let mut services = Services::default();
    for _ in 0..reader.u16()? {
        let number = reader.u16()?;
        if !ServiceKind::NUMBERS.contains(&number) {
            services.stopped_at = Some(number);
            break;
        }
        let privileges = read_map(&mut reader, Reader::u32)?;
        let kind = ServiceKind::read(number, &mut reader)?;
        services.known.push(Service { privileges, kind });
    }
    Ok(services)
}

impl Service {
    /// RTM login of `user`, good for `expire_s` seconds after the token's issueTs.
    #[must_use]
    pub fn rtm(user: &str, expire_s: u32) -> Self {
        let user = user.to_owned();
        Self { privileges: Privileges::from([(1, expire_s)]), kind: ServiceKind::Rtm { user } }
    }

    /// Chat as `user`, good for `expire_s` seconds after the token's issueTs.
    #[must_use]
    pub fn chat_user(user: &str, expire_s: u32) -> Self {
        let user = user.to_owned();
        Self { privileges: Privileges::from([(1, expire_s)]), kind: ServiceKind::Chat { user } }
    }

    /// Chat as the application, good for `expire_s` seconds after the token's issueTs.
    #[must_use]
    pub fn chat_app(expire_s: u32) -> Self {
        let user = String::new();
        Self { privileges: Privileges::from([(2, expire_s)]), kind: ServiceKind::Chat { user } }
    }

    pub(super) fn write(&self, writer: &mut Writer) -> Result<(), BuildError> {
        writer.u16(self.kind.number());
        writer.count(self.privileges.len())?;
        for (privilege, expire_s) in &self.privileges {
            writer.u16(*privilege);
            writer.u32(*expire_s);
        }
        self.kind.write(writer)
    }
}

impl ServiceKind {
    const NUMBERS: std::ops::RangeInclusive<u16> = 1..=10;

    /// The type number on the wire.
    #[must_use]
    pub fn number(&self) -> u16 {
        match self {
            Self::Rtc { .. } => 1,
            Self::Rtm { .. } => 2,
            Self::Streaming { .. } => 3,
            Self::Fpa => 4,
            Self::Chat { .. } => 5,
            Self::Fcdn { .. } => 6,
            Self::Apaas { .. } => 7,
            Self::Rtm2 { .. } => 8,
            Self::ConvoAi => 9,
            Self::Stt => 10,
        }
    }

    fn read(number: u16, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        Ok(match number {
            1 => Self::Rtc { channel: reader.string()?, uid: reader.string()? },
            2 => Self::Rtm { user: reader.string()? },
            3 => Self::Streaming { channel: reader.string()?, account: reader.string()? },
            4 => Self::Fpa,
            5 => Self::Chat { user: reader.string()? },
            6 => Self::Fcdn { channel: reader.string()?, account: reader.string()? },
            7 => Self::Apaas { room: reader.string()?, user: reader.string()?, role: reader.i16()? },
            8 => Self::Rtm2 { user: reader.string()?, permissions: read_map(reader, |r| read_map(r, read_strings))? },
            9 => Self::ConvoAi,
            10 => Self::Stt,
            _ => return Err(Refusal::Invalid),
        })
    }

    fn write(&self, writer: &mut Writer) -> Result<(), BuildError> {
        match self {
            Self::Fpa | Self::ConvoAi | Self::Stt => Ok(()),
            Self::Rtm { user } | Self::Chat { user } => writer.bytes(user.as_bytes()),
            Self::Rtc { channel: first, uid: second }
            | Self::Streaming { channel: first, account: second }
            | Self::Fcdn { channel: first, account: second } => {
                writer.bytes(first.as_bytes())?;
                writer.bytes(second.as_bytes())
            }
            Self::Apaas { room, user, role } => {
                writer.bytes(room.as_bytes())?;
                writer.bytes(user.as_bytes())?;
                writer.i16(*role);
                Ok(())
            }
            Self::Rtm2 { user, permissions } => {
                writer.bytes(user.as_bytes())?;
                write_permissions(permissions, writer)
            }
        }
    }
}

/// `u16` count and that many of `u16` key and value. Grows as it reads: the count is a claim.
fn read_map<'a, T>(
    reader: &mut Reader<'a>,
    mut value: impl FnMut(&mut Reader<'a>) -> Result<T, Refusal>,
) -> Result<BTreeMap<u16, T>, Refusal> {
    let mut map = BTreeMap::new();
    for _ in 0..reader.u16()? {
        let key = reader.u16()?;
        map.insert(key, value(reader)?);
    }
    Ok(map)
}

fn read_strings(reader: &mut Reader<'_>) -> Result<Vec<String>, Refusal> {
    (0..reader.u16()?).map(|_| reader.string()).collect()
}

fn write_permissions(permissions: &Permissions, writer: &mut Writer) -> Result<(), BuildError> {
    writer.count(permissions.len())?;
    for (resource, by_permission) in permissions {
        writer.u16(*resource);
        writer.count(by_permission.len())?;
        for (permission, names) in by_permission {
            writer.u16(*permission);
            writer.count(names.len())?;
            for name in names {
                writer.bytes(name.as_bytes())?;
            }
        }
    }
    Ok(())
}
