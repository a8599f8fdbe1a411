//! The contracts' events and their attributes, and the table of what each event says. The chain prefixes an event's name
//! with `wasm-`, and adds the attribute `_contract_address`. Stable: clients subscribe to them.
//!
//! A new event is one entry in `events!` below, a new attribute one in `keys!`. Every event that a test of the contracts
//! emits is held against this table, `contracts/EVENTS.md` is written from it, and each row must be emitted by a test.

/// What the value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An account or contract.
    Address,
    /// Digits: an id, a count, micro-units, unix seconds.
    Number,
    /// Lower-case hex of 32 bytes.
    Hash,
    /// A name of a closed list, which stands in the event, or of another part of the vocabulary.
    Word,
    /// Anything but nothing.
    Text,
}

/// An attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its key.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
}

/// Which contract emits an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emitter {
    /// The registry.
    Registry,
    /// The market.
    Market,
}

/// One cause of an event that has several: the value of [`key::ACTION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// The value.
    pub name: &'static str,
    /// What happened.
    pub doc: &'static str,
    /// Attributes beside those of the event.
    pub always: &'static [&'static str],
    /// Attributes that may be there.
    pub sometimes: &'static [&'static str],
}

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its name, without `wasm-`.
    pub name: &'static str,
    /// Who emits it.
    pub by: Emitter,
    /// What it says.
    pub doc: &'static str,
    /// Attributes that are always there.
    pub always: &'static [&'static str],
    /// Attributes that may be there.
    pub sometimes: &'static [&'static str],
    /// The values that an attribute may have, where they are a closed list.
    pub words: &'static [(&'static str, &'static [&'static str])],
    /// Its causes; none where it has one.
    pub actions: &'static [Action],
}

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal: $kind:ident;)+) => {
        /// Attribute keys.
        pub mod key {
            $($(#[doc = $doc])+ pub const $name: &str = $text;)+
        }

        /// Every attribute.
        pub const KEYS: &[Key] = &[$(Key {
            name: key::$name,
            kind: Kind::$kind,
            doc: concat!($($doc),+),
        }),+];
    };
}

macro_rules! events {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $text:literal by $by:ident {
            $(always: $($always:ident),+;)?
            $(sometimes: $($sometimes:ident),+;)?
            $(words: $key:ident = $($word:literal)|+;)*
            $(
                $(#[doc = $action_doc:literal])+
                action $action:literal $(: $($also:ident),+)? $(; sometimes: $($may:ident),+)?;
            )*
        }
    )+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $text;)+

        /// Every event.
        pub const SHAPES: &[Shape] = &[$(Shape {
            name: $name,
            by: Emitter::$by,
            doc: concat!($($doc),+),
            always: &[$($(key::$always),+)?],
            sometimes: &[$($(key::$sometimes),+)?],
            words: &[$((key::$key, &[$($word),+])),*],
            actions: &[$(Action {
                name: $action,
                doc: concat!($($action_doc),+),
                always: &[$($(key::$also),+)?],
                sometimes: &[$($(key::$may),+)?],
            }),*],
        }),+];
    };
}

events! {
    /// An order was created. The rate is its ceiling.
    ORDER_CREATED = "order_created" by Market {
        always: ORDER_ID, TENANT, MODE, DENOM, RATE, UNITS;
    }
    /// No provider who is bonded and was seen recently can serve the new order.
    ORDER_INFEASIBLE = "order_infeasible" by Market {
        always: ORDER_ID, FEASIBLE;
        words: FEASIBLE = "false";
    }
    /// An order closed: its tenant took it back, nobody won it, or why its last lease ended.
    ORDER_CLOSED = "order_closed" by Market {
        always: ORDER_ID, TENANT, REASON;
        words: REASON = "tenant" | "expired" | "provider" | "notice" | "end_of_term" | "exhausted";
    }
    /// An order opened again: its provider left before the end of term.
    ORDER_RELISTED = "order_relisted" by Market {
        always: ORDER_ID, TENANT, MODE;
    }
    /// A bid was placed; its rate is for each point of the score, where it promises one.
    BID_PLACED = "bid_placed" by Market {
        always: ORDER_ID, BID_ID, PROVIDER, UNITS, WEIGHT, RATE, DENOM, AMOUNT;
        sometimes: SCORE;
    }
    /// A provider committed to a sealed bid.
    BID_COMMITTED = "bid_committed" by Market {
        always: ORDER_ID, BID_ID, PROVIDER, UNITS, WEIGHT, COMMITMENT, DENOM, AMOUNT;
    }
    /// A sealed bid was revealed.
    BID_REVEALED = "bid_revealed" by Market {
        always: ORDER_ID, BID_ID, PROVIDER, RATE, SALT;
    }
    /// A lot was drawn among revealed bids; the named one won.
    DRAW = "draw" by Market {
        always: ORDER_ID, BID_ID, SEED, AMONG, TOTAL, TICKET;
    }
    /// A bid ended. Its deposit goes back, or to the fee collector when it was never revealed.
    BID_ENDED = "bid_ended" by Market {
        always: ORDER_ID, BID_ID, PROVIDER, REASON, DENOM, AMOUNT;
        words: REASON = "won" | "lost" | "order_closed" | "withdrawn" | "replaced" | "outbid" | "unrevealed";
    }
    /// An ask entered the book.
    ASK_PLACED = "ask_placed" by Market {
        always: ASK_ID, PROVIDER, DENOM, RATE, UNITS, ACTION;
        /// Its provider posted it.
        action "posted";
        /// A lease gave units back to an ask that had none left.
        action "units_returned";
    }
    /// An ask left the book.
    ASK_ENDED = "ask_ended" by Market {
        always: ASK_ID, PROVIDER, DENOM, RATE, UNITS, REASON;
        words: REASON = "withdrawn" | "used_up";
    }
    /// A lease opened; with the ask that it crossed, where it did.
    LEASE_OPENED = "lease_opened" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER, BID_ID, DENOM, RATE, UNITS, MODE;
        sometimes: ASK_ID;
    }
    /// A lease was suspended: its escrow ran dry.
    LEASE_SUSPENDED = "lease_suspended" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER;
    }
    /// A lease was revived: by a top-up, or because it, or what runs beside it, costs less now.
    LEASE_REVIVED = "lease_revived" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER;
    }
    /// A provider gave notice.
    LEASE_NOTICE = "lease_notice" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER, LEAVES_AT;
    }
    /// A score was measured on a lease that is paid by performance; the rate is what a unit costs from now on, and since
    /// the opening.
    LEASE_MEASURED = "lease_measured" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER, SCORE, PROMISED, RATE;
    }
    /// A lease closed.
    LEASE_CLOSED = "lease_closed" by Market {
        always: LEASE_ID, ORDER_ID, TENANT, PROVIDER, REASON;
        words: REASON = "tenant" | "provider" | "notice" | "end_of_term" | "exhausted" | "cluster";
    }
    /// Money moved into, within or out of an escrow account. The movements of an account follow one another: each begins with
    /// the balance that the last one left.
    ESCROW = "escrow" by Market {
        always: ACTION, ORDER_ID, DENOM, AMOUNT, BEFORE, AFTER;
        /// Coins came in.
        action "deposit": DEPOSITOR;
        /// A share of a deposit went to the fee collector.
        action "reservation_fee": RECIPIENT;
        /// The flat fee of a lease that opened went to the fee collector.
        action "session_fee": RECIPIENT;
        /// What a lease earned was set aside for its provider; the balance stays.
        action "accrue": LEASE_ID;
        /// A share of what a lease earned went to the fee collector.
        action "take_fee": LEASE_ID, RECIPIENT;
        /// A provider was paid.
        action "pay": LEASE_ID, RECIPIENT;
        /// What was left of a deposit went back.
        action "refund": RECIPIENT;
    }
    /// The fee schedule of a denom changed; one event a denom.
    FEES_UPDATED = "fees_updated" by Market {
        always: DENOM, TAKE_BPS, RESERVATION_BPS, SESSION_FEE;
    }
    /// The registry refused a report of a lease; the lease itself went on.
    REPORT_FAILED = "report_failed" by Market {
        always: REASON;
    }
    /// A provider registered, changed or left.
    PROVIDER = "provider" by Registry {
        always: ACTION, PROVIDER;
        /// It registered.
        action "register";
        /// It changed what is known of it.
        action "update": REVISION;
        /// It left.
        action "unregister";
    }
    /// The bond of an account changed, or what it was unbonding was paid out.
    BOND = "bond" by Registry {
        always: ACTION, OWNER, AMOUNT, BEFORE, AFTER;
        /// Stake was added.
        action "bond";
        /// Stake began to unbond.
        action "unbond";
        /// Unbonded stake was paid out; the bond stays.
        action "claim";
        /// The court took stake, out of unbondings too.
        action "slash": FROM_UNBONDING, RECIPIENT, REASON;
    }
    /// A certificate was published or revoked.
    CERTIFICATE = "certificate" by Registry {
        always: ACTION, OWNER, FINGERPRINT;
        /// Published.
        action "publish";
        /// Revoked for ever.
        action "revoke";
    }
    /// An audit was signed or revoked.
    AUDIT = "audit" by Registry {
        always: ACTION, PROVIDER, SIGNER;
        /// Signed.
        action "sign": REVISION, EXPIRES_AT;
        /// Taken back.
        action "revoke";
    }
    /// A trust level was set or cleared: of one device where it is named, else of the provider.
    TRUST = "trust" by Registry {
        always: ACTION, PROVIDER, SIGNER;
        /// Set.
        action "set": LEVEL, REVISION, EXPIRES_AT; sometimes: DEVICE;
        /// Taken away.
        action "clear"; sometimes: DEVICE;
    }
    /// The registry's configuration changed.
    CONFIG_UPDATED = "config_updated" by Registry {
        always: AUTHORITY;
    }
}

keys! {
    /// What happened, where one event has several causes.
    ACTION = "action": Word;
    /// An order.
    ORDER_ID = "order_id": Number;
    /// A bid.
    BID_ID = "bid_id": Number;
    /// A standing ask.
    ASK_ID = "ask_id": Number;
    /// A lease.
    LEASE_ID = "lease_id": Number;
    /// The tenant.
    TENANT = "tenant": Address;
    /// The provider.
    PROVIDER = "provider": Address;
    /// Name of the pricing mode.
    MODE = "mode": Word;
    /// The denom of rates and amounts.
    DENOM = "denom": Text;
    /// Rate per unit, 10^-6 micro-units a second.
    RATE = "rate": Number;
    /// Number of devices.
    UNITS = "units": Number;
    /// Micro-units.
    AMOUNT = "amount": Number;
    /// Balance before the movement, micro-units.
    BEFORE = "before": Number;
    /// Balance after the movement, micro-units.
    AFTER = "after": Number;
    /// Who put it in.
    DEPOSITOR = "depositor": Address;
    /// Share of what a provider is paid, basis points.
    TAKE_BPS = "take_bps": Number;
    /// Share of every deposit, basis points.
    RESERVATION_BPS = "reservation_bps": Number;
    /// Flat fee of a lease's opening, micro-units.
    SESSION_FEE = "session_fee": Number;
    /// Hash of a sealed bid.
    COMMITMENT = "commitment": Hash;
    /// What a sealed bid was committed with.
    SALT = "salt": Hash;
    /// What a bid weighs in a draw: its provider's bond when it came, micro-units.
    WEIGHT = "weight": Number;
    /// What a lot was drawn with.
    SEED = "seed": Hash;
    /// The bids that a lot was drawn among, by id, with commas between.
    AMONG = "among": Text;
    /// The sum of their weights.
    TOTAL = "total": Number;
    /// The lot: the seed modulo the total.
    TICKET = "ticket": Number;
    /// A benchmark's score: promised by a bid, or measured on a lease.
    SCORE = "score": Number;
    /// The score that the lease's bid promised.
    PROMISED = "promised": Number;
    /// Who received it.
    RECIPIENT = "recipient": Address;
    /// Why it happened.
    REASON = "reason": Text;
    /// When a provider that gave notice may leave, unix seconds.
    LEAVES_AT = "leaves_at": Number;
    /// Owner of a certificate or bond.
    OWNER = "owner": Address;
    /// Of a slashed amount: what came out of unbondings, micro-units.
    FROM_UNBONDING = "from_unbonding": Number;
    /// Who may change the configuration from now on.
    AUTHORITY = "authority": Address;
    /// Who signed an audit or set a trust level.
    SIGNER = "signer": Address;
    /// A provider's revision.
    REVISION = "revision": Number;
    /// Unix seconds of an end.
    EXPIRES_AT = "expires_at": Number;
    /// A device id.
    DEVICE = "device": Word;
    /// A trust level, 0 to 4.
    LEVEL = "level": Number;
    /// `false`: nobody can serve an order.
    FEASIBLE = "feasible": Word;
    /// SHA-256 of a certificate's DER.
    FINGERPRINT = "fingerprint": Hash;
}
