//! What may be spent, and what is left of it.

use crate::{
    codec::{coins, strict, times, type_url},
    ctx::Ctx,
    error::{AppError, Result},
};
use cosmos_sdk_proto::{
    Any,
    cosmos::{
        base::v1beta1::Coin,
        feegrant::v1beta1::{AllowedMsgAllowance, BasicAllowance, PeriodicAllowance},
    },
};
use prost::{Message, Name};

/// What the look at one message costs.
const GAS_PER_MESSAGE: u64 = 10;
/// How deep allowances may stand in each other.
const MAX_DEPTH: u32 = 4;

/// An allowance.
#[derive(Debug, Clone, PartialEq)]
pub enum Allowance {
    /// So much, until then.
    Basic(BasicAllowance),
    /// So much in every period, and no more than so much.
    Periodic(Box<PeriodicAllowance>),
    /// Another one, for some messages only.
    Messages(Box<Allowance>, Vec<String>),
}

fn error(code: u32, detail: &str, root: &str) -> AppError {
    AppError::new("feegrant", code, format!("{detail}: {root}"))
}

fn exceeded(detail: &str) -> AppError {
    error(2, detail, "fee limit exceeded")
}

fn expired(detail: &str) -> AppError {
    error(3, detail, "fee allowance expired")
}

fn no_allowance(detail: &str) -> AppError {
    error(5, detail, "no allowance")
}

fn valid(coins: &[Coin], what: &str) -> Result<()> {
    coins::check(coins)
        .map(drop)
        .map_err(|e| AppError::invalid_coins(format_args!("{what} amount is invalid: {e}")))
}

fn any<M: Message + Name>(m: &M) -> Any {
    Any {
        type_url: type_url::<M>(),
        value: m.encode_to_vec(),
    }
}

fn check_basic(a: &BasicAllowance) -> Result<()> {
    valid(&a.spend_limit, "send")?;
    if a.expiration.as_ref().is_some_and(|t| t.seconds < 0) {
        let detail = "expiration time cannot be negative";
        return Err(error(4, detail, "invalid duration"));
    }
    Ok(())
}

fn check_periodic(a: &PeriodicAllowance) -> Result<()> {
    let basic = a.basic.clone().unwrap_or_default();
    check_basic(&basic)?;
    valid(&a.period_spend_limit, "spend")?;
    if a.period_spend_limit.is_empty() {
        return Err(AppError::invalid_coins("spend limit must be positive"));
    }
    valid(&a.period_can_spend, "can spend")?;
    let in_limit = |c: &Coin| basic.spend_limit.iter().any(|l| l.denom == c.denom);
    if !basic.spend_limit.is_empty() && !a.period_spend_limit.iter().all(in_limit) {
        return Err(AppError::invalid_coins(
            "period spend limit has different currency than basic spend limit",
        ));
    }
    if a.period.as_ref().is_some_and(|p| times::duration(p) < 0) {
        return Err(error(4, "negative clock step", "invalid duration"));
    }
    Ok(())
}

/// `left` without `fee`.
fn spend(left: &mut Vec<Coin>, fee: &[(String, u128)], limit: &str) -> Result<()> {
    let rest = coins::minus(&coins::check(left)?, fee).ok_or_else(|| exceeded(limit))?;
    *left = coins::to_proto(&rest);
    Ok(())
}

fn accept_basic(a: &mut BasicAllowance, now: i128, fee: &[(String, u128)]) -> Result<bool> {
    if a.expiration.as_ref().is_some_and(|t| times::nanos(t) < now) {
        return Err(expired("basic allowance"));
    }
    if a.spend_limit.is_empty() {
        return Ok(false);
    }
    spend(&mut a.spend_limit, fee, "basic allowance")?;
    Ok(a.spend_limit.is_empty())
}

fn accept_periodic(a: &mut PeriodicAllowance, now: i128, fee: &[(String, u128)]) -> Result<bool> {
    let mut basic = a.basic.take().unwrap_or_default();
    if basic
        .expiration
        .as_ref()
        .is_some_and(|t| now > times::nanos(t))
    {
        return Err(expired("absolute limit"));
    }
    let reset = a.period_reset.as_ref().map_or(0, times::nanos);
    if now >= reset {
        // The less of the two limits.
        let (total, period) = (
            coins::check(&basic.spend_limit)?,
            coins::check(&a.period_spend_limit)?,
        );
        let short = !total.is_empty() && coins::minus(&total, &period).is_none();
        a.period_can_spend = coins::to_proto(if short { &total } else { &period });
        let length = a.period.as_ref().map_or(0, times::duration);
        // In step with the last period, or one from now after a pause.
        let next = reset.saturating_add(length);
        let next = if now > next {
            now.saturating_add(length)
        } else {
            next
        };
        a.period_reset = Some(times::stamp(next));
    }
    spend(&mut a.period_can_spend, fee, "period limit")?;
    let bounded = !basic.spend_limit.is_empty();
    if bounded {
        spend(&mut basic.spend_limit, fee, "absolute limit")?;
    }
    let spent = bounded && basic.spend_limit.is_empty();
    a.basic = Some(basic);
    Ok(spent)
}

impl Allowance {
    /// The allowance in an `Any`.
    ///
    /// # Errors
    /// sdk/2 when it is none; feegrant/5.
    pub fn decode(any: Option<&Any>) -> Result<Self> {
        Self::nested(any, MAX_DEPTH)
    }

    fn nested(any: Option<&Any>, depth: u32) -> Result<Self> {
        let any = any.ok_or_else(|| no_allowance("allowance should not be empty"))?;
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| no_allowance("allowances stand in each other too deep"))?;
        let value = any.value.as_slice();
        match any.type_url.strip_prefix('/') {
            Some(name) if name == BasicAllowance::full_name() => {
                strict("BasicAllowance", value).map(Self::Basic)
            }
            Some(name) if name == PeriodicAllowance::full_name() => {
                strict("PeriodicAllowance", value).map(|a| Self::Periodic(Box::new(a)))
            }
            Some(name) if name == AllowedMsgAllowance::full_name() => {
                let a: AllowedMsgAllowance = strict("AllowedMsgAllowance", value)?;
                let inner = Self::nested(a.allowance.as_ref(), depth)?;
                Ok(Self::Messages(Box::new(inner), a.allowed_messages))
            }
            _ => Err(AppError::tx_decode(format_args!(
                "no concrete type registered for type URL {} against interface *feegrant.FeeAllowanceI",
                any.type_url.chars().take(128).collect::<String>()
            ))),
        }
    }

    /// As an `Any`.
    pub fn to_any(&self) -> Any {
        match self {
            Self::Basic(a) => any(a),
            Self::Periodic(a) => any(a.as_ref()),
            Self::Messages(inner, messages) => any(&AllowedMsgAllowance {
                allowance: Some(inner.to_any()),
                allowed_messages: messages.clone(),
            }),
        }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// sdk/10, feegrant/4, feegrant/6.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Basic(a) => check_basic(a),
            Self::Periodic(a) => check_periodic(a),
            Self::Messages(_, messages) if messages.is_empty() => Err(error(
                6,
                "allowed messages shouldn't be empty",
                "allowed messages are empty",
            )),
            Self::Messages(inner, _) => inner.check(),
        }
    }

    /// When it ends, nanoseconds since the Unix epoch.
    pub fn expires(&self) -> Option<i128> {
        match self {
            Self::Basic(a) => a.expiration.as_ref().map(times::nanos),
            Self::Periodic(a) => {
                let basic = a.basic.as_ref();
                basic.and_then(|b| b.expiration.as_ref()).map(times::nanos)
            }
            Self::Messages(inner, _) => inner.expires(),
        }
    }

    /// Spends a fee on messages of these types; whether nothing is left of the allowance.
    ///
    /// # Errors
    /// feegrant/2, feegrant/3, feegrant/7; sdk/11.
    pub fn accept(&mut self, ctx: &Ctx, fee: &[(String, u128)], messages: &[&str]) -> Result<bool> {
        let now = i128::from(ctx.block.time_ns);
        match self {
            Self::Basic(a) => accept_basic(a, now, fee),
            Self::Periodic(a) => accept_periodic(a, now, fee),
            Self::Messages(inner, allowed) => {
                let looked_at = allowed.len().saturating_add(messages.len()) as u64;
                ctx.consume_gas(GAS_PER_MESSAGE.saturating_mul(looked_at), "check msg")?;
                if !messages.iter().all(|m| allowed.iter().any(|a| a == m)) {
                    let detail = "message does not exist in allowed messages";
                    return Err(error(7, detail, "message not allowed"));
                }
                inner.accept(ctx, fee, messages)
            }
        }
    }
}
