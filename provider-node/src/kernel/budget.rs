//! The operation budget: every loop iteration of an invocation costs one, and when none is left every loop ends and
//! the host is told, so that a result with a hole in it is refused and never returned.
//!
//! A hidden buffer at [`STATUS_BINDING`] carries four words: `[0]` set to 1 when an invocation ran out, `[1]` the
//! budget, `[2]` loops entered minus loops left (only with the canary), `[3]` unused. The budget is data and not code,
//! so the canonical SPIR-V does not depend on it.
//!
//! The canary finds drivers that leave a loop on their own: the exit of a loop is a side effect in memory, which no
//! optimiser may assume, so a loop cut short leaves word 2 above zero.

use super::STATUS_BINDING;
use naga::{
    AddressSpace, AtomicFunction, BinaryOperator, Block, Expression, Function, GlobalVariable,
    Handle, Literal, MemoryDecorations, Module, Range, ResourceBinding, Scalar, Span, Statement,
    StorageAccess, StructMember, Type, TypeInner,
};

/// Bytes of the status buffer.
pub const STATUS_BYTES: u64 = 16;

/// Whether loops count their exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// No: the canonical form.
    No,
    /// Yes: two atomics for each loop that is run.
    Yes,
}

#[derive(Clone, Copy)]
struct Globals {
    status: Handle<GlobalVariable>,
    left: Handle<GlobalVariable>,
    canary: Canary,
}

/// Puts the budget into every function of a validated module with one entry point; whether it has any loop.
pub fn instrument(module: &mut Module, canary: Canary) -> bool {
    let globals = declare(module, canary);
    let mut loops = 0;
    for (_, function) in module.functions.iter_mut() {
        loops += rewrite(function, globals);
    }
    let entry = &mut module.entry_points[0].function;
    loops += rewrite(entry, globals);
    start_budget(entry, globals);
    loops > 0
}

fn declare(module: &mut Module, canary: Canary) -> Globals {
    let mut add = |name: Option<&str>, inner| {
        module.types.insert(
            Type {
                name: name.map(Into::into),
                inner,
            },
            Span::UNDEFINED,
        )
    };
    let word = add(None, TypeInner::Scalar(Scalar::U32));
    let atomic = add(None, TypeInner::Atomic(Scalar::U32));
    let member = |name: &str, ty, offset| StructMember {
        name: Some(name.into()),
        ty,
        binding: None,
        offset,
    };
    let members = vec![
        member("exhausted", atomic, 0),
        member("budget", word, 4),
        member("open_loops", atomic, 8),
        member("unused", word, 12),
    ];
    let status = add(
        Some("EmberStatus"),
        TypeInner::Struct {
            members,
            span: STATUS_BYTES as u32,
        },
    );
    let mut global = |name: &str, space, binding, ty| {
        module.global_variables.append(
            GlobalVariable {
                name: Some(name.into()),
                space,
                binding,
                ty,
                init: None,
                memory_decorations: MemoryDecorations::empty(),
            },
            Span::UNDEFINED,
        )
    };
    Globals {
        status: global(
            "ember_status",
            AddressSpace::Storage {
                access: StorageAccess::LOAD | StorageAccess::STORE,
            },
            Some(ResourceBinding {
                group: 0,
                binding: STATUS_BINDING,
            }),
            status,
        ),
        left: global("ember_left", AddressSpace::Private, None, word),
        canary,
    }
}

/// Expressions that every instrumented function has, and a place to add more.
struct Writer<'a> {
    function: &'a mut Function,
    status: Handle<Expression>,
    left: Handle<Expression>,
    zero: Handle<Expression>,
    one: Handle<Expression>,
    canary: Canary,
    loops: u32,
}

impl<'a> Writer<'a> {
    fn new(function: &'a mut Function, globals: Globals) -> Self {
        let mut add = |e| function.expressions.append(e, Span::UNDEFINED);
        let status = add(Expression::GlobalVariable(globals.status));
        let left = add(Expression::GlobalVariable(globals.left));
        let zero = add(Expression::Literal(Literal::U32(0)));
        let one = add(Expression::Literal(Literal::U32(1)));
        Self {
            function,
            status,
            left,
            zero,
            one,
            canary: globals.canary,
            loops: 0,
        }
    }

    /// Appends an expression and its emit statement.
    fn emit(&mut self, block: &mut Block, expression: Expression) -> Handle<Expression> {
        let handle = self
            .function
            .expressions
            .append(expression, Span::UNDEFINED);
        block.push(
            Statement::Emit(Range::new_from_bounds(handle, handle)),
            Span::UNDEFINED,
        );
        handle
    }

    fn word(&mut self, block: &mut Block, index: u32) -> Handle<Expression> {
        let base = self.status;
        self.emit(block, Expression::AccessIndex { base, index })
    }

    /// `open_loops += 1` or `-= 1`.
    fn count(&mut self, block: &mut Block, fun: AtomicFunction) {
        if self.canary == Canary::Yes {
            let pointer = self.word(block, 2);
            let value = self.one;
            block.push(
                Statement::Atomic {
                    pointer,
                    fun,
                    value,
                    result: None,
                },
                Span::UNDEFINED,
            );
        }
    }

    /// `if left == 0 { exhausted = 1; break; } left -= 1;`
    fn spend(&mut self) -> Block {
        let mut block = Block::new();
        let left = self.emit(&mut block, Expression::Load { pointer: self.left });
        let none = Expression::Binary {
            op: BinaryOperator::Equal,
            left,
            right: self.zero,
        };
        let condition = self.emit(&mut block, none);
        let mut accept = Block::new();
        let pointer = self.word(&mut accept, 0);
        accept.push(
            Statement::Store {
                pointer,
                value: self.one,
            },
            Span::UNDEFINED,
        );
        self.count(&mut accept, AtomicFunction::Subtract);
        accept.push(Statement::Break, Span::UNDEFINED);
        block.push(
            Statement::If {
                condition,
                accept,
                reject: Block::new(),
            },
            Span::UNDEFINED,
        );
        let less = Expression::Binary {
            op: BinaryOperator::Subtract,
            left,
            right: self.one,
        };
        let value = self.emit(&mut block, less);
        block.push(
            Statement::Store {
                pointer: self.left,
                value,
            },
            Span::UNDEFINED,
        );
        block
    }

    /// Rewrites a block. `open` loops of this function surround it; `breaks` says whether a `break` in it ends the
    /// innermost loop (and not a switch).
    fn block(&mut self, block: Block, open: u32, breaks: bool) -> Block {
        let mut out = Block::with_capacity(block.len());
        for (statement, span) in block.span_into_iter() {
            let statement = match statement {
                Statement::Block(b) => Statement::Block(self.block(b, open, breaks)),
                Statement::If {
                    condition,
                    accept,
                    reject,
                } => Statement::If {
                    condition,
                    accept: self.block(accept, open, breaks),
                    reject: self.block(reject, open, breaks),
                },
                Statement::Switch {
                    selector,
                    mut cases,
                } => {
                    for case in &mut cases {
                        case.body = self.block(std::mem::take(&mut case.body), open, false);
                    }
                    Statement::Switch { selector, cases }
                }
                Statement::Loop {
                    body,
                    continuing,
                    break_if,
                } => {
                    self.loops += 1;
                    self.count(&mut out, AtomicFunction::Add);
                    let mut new_body = self.spend();
                    new_body.extend_block(self.block(body, open + 1, true));
                    let mut continuing = self.block(continuing, open + 1, false);
                    if let (Some(condition), Canary::Yes) = (break_if, self.canary) {
                        let mut accept = Block::new();
                        self.count(&mut accept, AtomicFunction::Subtract);
                        let leave = Statement::If {
                            condition,
                            accept,
                            reject: Block::new(),
                        };
                        continuing.push(leave, Span::UNDEFINED);
                    }
                    Statement::Loop {
                        body: new_body,
                        continuing,
                        break_if,
                    }
                }
                Statement::Break if breaks => {
                    self.count(&mut out, AtomicFunction::Subtract);
                    Statement::Break
                }
                Statement::Return { value } => {
                    for _ in 0..open {
                        self.count(&mut out, AtomicFunction::Subtract);
                    }
                    Statement::Return { value }
                }
                other => other,
            };
            out.push(statement, span);
        }
        out
    }
}

/// Rewrites one function; how many loops it has.
fn rewrite(function: &mut Function, globals: Globals) -> u32 {
    let body = std::mem::take(&mut function.body);
    let result = function.result.as_ref().map(|r| r.ty);
    let mut writer = Writer::new(function, globals);
    let mut body = writer.block(body, 0, false);
    let loops = writer.loops;
    // A loop that could only return can now also break: what follows it must not be unreachable.
    if let (Some(ty), false) = (
        result,
        matches!(body.last(), Some(Statement::Return { .. })),
    ) {
        let value = function
            .expressions
            .append(Expression::ZeroValue(ty), Span::UNDEFINED);
        body.push(Statement::Return { value: Some(value) }, Span::UNDEFINED);
    }
    function.body = body;
    loops
}

/// `left = status.budget` before all else.
fn start_budget(entry: &mut Function, globals: Globals) {
    let mut writer = Writer::new(entry, globals);
    let mut start = Block::new();
    let pointer = writer.word(&mut start, 1);
    let value = writer.emit(&mut start, Expression::Load { pointer });
    start.push(
        Statement::Store {
            pointer: writer.left,
            value,
        },
        Span::UNDEFINED,
    );
    let body = std::mem::take(&mut entry.body);
    start.extend_block(body);
    entry.body = start;
}
