//! The exactness classes, checked on the SPIR-V that will run: an allow-list, so what is not known to be exact is
//! refused.

use super::KernelError;
use rspirv::dr::{Instruction, Module, Operand};
use rspirv::spirv::{GlslStd450Op as GLOp, Op, Word};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a job promises about its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exactness {
    /// Integers only.
    E0,
    /// As E2, and `fma` whose factors both come from halves: such products are exact, fused or not.
    E1,
    /// 32-bit floats with `+`, `-`, `*`, comparisons and conversions only.
    E2,
    /// Unverified: anything goes, nothing can be disputed.
    U,
}

impl fmt::Display for Exactness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Checks every function of `module` against `class`.
pub fn check(module: &Module, class: Exactness) -> Result<(), KernelError> {
    if class == Exactness::U {
        return Ok(());
    }
    let facts = Facts::of(module);
    for function in &module.functions {
        let mut line = 0;
        for instruction in function.blocks.iter().flat_map(|b| &b.instructions) {
            if instruction.class.opcode == Op::Line {
                if let Some(Operand::LiteralBit32(l)) = instruction.operands.get(1) {
                    line = *l;
                }
                continue;
            }
            if let Some((what, hint)) = facts.inexact(instruction, class) {
                return Err(KernelError::Inexact {
                    class,
                    what,
                    line,
                    hint,
                });
            }
        }
    }
    // A float that only sits in a type still says that the job is not E0.
    let float = module
        .types_global_values
        .iter()
        .any(|i| i.class.opcode == Op::TypeFloat);
    if class == Exactness::E0 && float {
        let (what, hint) = ("a float type".into(), "use integers, or declare E2");
        return Err(KernelError::Inexact {
            class,
            what,
            line: 0,
            hint,
        });
    }
    Ok(())
}

struct Facts<'a> {
    defined: BTreeMap<Word, &'a Instruction>,
    floats: BTreeSet<Word>,
    used: BTreeSet<Word>,
}

impl<'a> Facts<'a> {
    fn of(module: &'a Module) -> Self {
        let mut floats = BTreeSet::new();
        let mut defined = BTreeMap::new();
        let mut used = BTreeSet::new();
        for i in &module.types_global_values {
            let is_float = match i.class.opcode {
                Op::TypeFloat => true,
                Op::TypeVector | Op::TypeMatrix => {
                    matches!(i.operands.first(), Some(Operand::IdRef(id)) if floats.contains(id))
                }
                _ => false,
            };
            if let (true, Some(id)) = (is_float, i.result_id) {
                floats.insert(id);
            }
        }
        for i in module.all_inst_iter() {
            if let Some(id) = i.result_id {
                defined.insert(id, i);
            }
        }
        for i in module
            .functions
            .iter()
            .flat_map(|f| f.blocks.iter().flat_map(|b| &b.instructions))
        {
            used.extend(i.operands.iter().filter_map(|o| match o {
                Operand::IdRef(id) => Some(*id),
                _ => None,
            }));
        }
        Self {
            defined,
            floats,
            used,
        }
    }

    fn is_float(&self, i: &Instruction) -> bool {
        i.result_type.is_some_and(|t| self.floats.contains(&t))
    }

    /// What is inexact about an instruction and what to do.
    fn inexact(&self, i: &Instruction, class: Exactness) -> Option<(String, &'static str)> {
        let op = i.class.opcode;
        let name = i.class.opname;
        if class == Exactness::E0 && self.is_float(i) {
            return Some((format!("floats ({name})"), "use integers, or declare E2"));
        }
        match op {
            Op::FDiv => Some((
                "float division".into(),
                "multiply by a reciprocal made of + and *",
            )),
            Op::FRem | Op::FMod => Some((
                "the remainder of floats".into(),
                "build it from floor, * and -",
            )),
            Op::Dot => Some(("dot()".into(), "write the sum out in a fixed order")),
            Op::MatrixTimesScalar
            | Op::VectorTimesMatrix
            | Op::MatrixTimesVector
            | Op::MatrixTimesMatrix
            | Op::OuterProduct => Some((
                format!("matrix arithmetic ({name})"),
                "write the sums out in a fixed order",
            )),
            Op::QuantizeToF16 => Some((
                "rounding to half precision".into(),
                "round with integer operations",
            )),
            Op::DPdx | Op::DPdy | Op::Fwidth => {
                Some((format!("derivatives ({name})"), "take differences"))
            }
            Op::ExtInst => self.ext_inst(i, class),
            Op::AtomicExchange | Op::AtomicCompareExchange => Some((
                format!("order-dependent atomics ({name})"),
                "use atomicAdd, Min, Max, And, Or or Xor",
            )),
            Op::AtomicIAdd
            | Op::AtomicISub
            | Op::AtomicSMin
            | Op::AtomicUMin
            | Op::AtomicSMax
            | Op::AtomicUMax
            | Op::AtomicAnd
            | Op::AtomicOr
            | Op::AtomicXor => i
                .result_id
                .is_some_and(|id| self.used.contains(&id))
                .then(|| {
                    (
                        "the value that an atomic returns: it depends on the order".into(),
                        "ignore it",
                    )
                }),
            _ if name.starts_with("GroupNonUniform") || name.starts_with("Subgroup") => Some((
                format!("subgroup operations ({name})"),
                "use workgroup memory and a fixed tree",
            )),
            _ if name.starts_with("Image") => Some((format!("images ({name})"), "use buffers")),
            _ => None,
        }
    }

    fn ext_inst(&self, i: &Instruction, class: Exactness) -> Option<(String, &'static str)> {
        let Some(Operand::LiteralExtInstInteger(number)) = i.operands.get(1) else {
            return Some(("an unknown extended instruction".into(), "use + and *"));
        };
        let Some(op) = GLOp::from_u32(*number) else {
            return Some((format!("extended instruction {number}"), "use + and *"));
        };
        let exact = matches!(
            op,
            GLOp::FAbs
                | GLOp::FSign
                | GLOp::Floor
                | GLOp::Ceil
                | GLOp::Trunc
                | GLOp::RoundEven
                | GLOp::FMin
                | GLOp::FMax
                | GLOp::FClamp
                | GLOp::NMin
                | GLOp::NMax
                | GLOp::NClamp
                | GLOp::Step
                | GLOp::Ldexp
                | GLOp::FrexpStruct
                | GLOp::UnpackHalf2x16
                | GLOp::SAbs
                | GLOp::SSign
                | GLOp::UMin
                | GLOp::SMin
                | GLOp::UMax
                | GLOp::SMax
                | GLOp::UClamp
                | GLOp::SClamp
                | GLOp::FindILsb
                | GLOp::FindSMsb
                | GLOp::FindUMsb
        );
        let halves = |n| matches!(i.operands.get(n), Some(Operand::IdRef(id)) if self.is_half(*id));
        if exact || (op == GLOp::Fma && class == Exactness::E1 && halves(2) && halves(3)) {
            return None;
        }
        let hint = match op {
            GLOp::Fma => "write a * b + c (E1 allows fma of two unpacked halves)",
            _ => "build it from + and *, as the operator library does",
        };
        Some((format!("{op:?}()").to_lowercase(), hint))
    }

    /// Whether a value is a half, or a component of unpacked halves.
    fn is_half(&self, id: Word) -> bool {
        let Some(i) = self.defined.get(&id) else {
            return false;
        };
        match (i.class.opcode, i.operands.as_slice()) {
            (Op::ExtInst, [_, Operand::LiteralExtInstInteger(n), ..]) => {
                GLOp::from_u32(*n) == Some(GLOp::UnpackHalf2x16)
            }
            (Op::CompositeExtract, [Operand::IdRef(from), ..]) => self.is_half(*from),
            _ => false,
        }
    }
}
