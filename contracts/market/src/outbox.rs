//! What a message does beside changing state: coins that leave the contract, and events.

use cosmwasm_std::{Addr, BankMsg, Event, Response, SubMsg, Uint128, coins};

/// Collected while a message runs, answered at its end.
#[derive(Debug, Default)]
pub struct Outbox {
    messages: Vec<BankMsg>,
    reports: Vec<SubMsg>,
    events: Vec<Event>,
    asked: usize,
}

impl Outbox {
    /// Sends `amount` to `to`; nothing when it is zero.
    pub fn send(&mut self, to: &Addr, amount: Uint128, denom: &str) {
        if !amount.is_zero() {
            self.messages.push(BankMsg::Send {
                to_address: to.to_string(),
                amount: coins(amount.u128(), denom),
            });
        }
    }

    /// Sends a message that may fail, after all payments.
    pub fn report(&mut self, report: SubMsg) {
        self.reports.push(report);
    }

    /// Emits an event.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// How many messages wait to be sent.
    pub fn messages(&self) -> usize {
        self.messages.len().saturating_add(self.reports.len())
    }

    /// Counts a question to the registry, which may cost much.
    pub const fn ask(&mut self) {
        self.asked = self.asked.saturating_add(1);
    }

    /// How often the registry was asked whether somebody can serve.
    pub const fn asked(&self) -> usize {
        self.asked
    }

    /// The answer.
    pub fn into_response(self) -> Response {
        Response::new()
            .add_events(self.events)
            .add_messages(self.messages)
            .add_submessages(self.reports)
    }
}
