//! Runs a plan: batches of commands, each submitted, waited for with a limit, and checked for an exhausted budget.
//!
//! vulkano's command buffer builder puts the barriers in from what each command reads and writes.

use super::super::plan::{Init, Plan, Report, Step};
use super::super::{DeviceError, Hash, Progress};
use super::memory::{self, Words};
use super::pipeline::{self, Built};
use super::{VulkanDevice, failed, refused, vulkan_failed};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vulkano::VulkanError;
use vulkano::command_buffer::{
    AutoCommandBufferBuilder, CommandBufferSubmitInfo, CommandBufferUsage, CopyBufferInfo,
    PrimaryAutoCommandBuffer, SubmitInfo,
};
use vulkano::descriptor_set::DescriptorSet;
use vulkano::pipeline::{Pipeline, PipelineBindPoint};
use vulkano::query::{QueryPool, QueryPoolCreateInfo, QueryResultFlags, QueryType};
use vulkano::sync::PipelineStage;
use vulkano::sync::fence::{Fence, FenceCreateInfo};

/// Dispatches of one submission at most. A plan begins with one and doubles or halves by how long the last took, so
/// that progress shows and no submission runs long.
const BATCH_DISPATCHES: u64 = 256;
/// A submission shorter than this makes the next one larger.
const SHORT: Duration = Duration::from_millis(50);
/// A submission longer than this makes the next one smaller.
const LONG: Duration = Duration::from_millis(250);
/// Other commands of one submission at most.
const BATCH_COMMANDS: u64 = 1_024;

type Builder = AutoCommandBufferBuilder<PrimaryAutoCommandBuffer>;
type SetKey = (usize, Vec<(u32, usize)>);

/// What the kernels of a plan left in the status buffer.
const EXHAUSTED: usize = 0;
const OPEN_LOOPS: usize = 2;

struct Run<'a> {
    gpu: &'a VulkanDevice,
    plan: &'a Plan,
    buffers: Vec<Words>,
    programs: Vec<Built>,
    sets: BTreeMap<SetKey, Arc<DescriptorSet>>,
    status: Words,
    status_host: Words,
    stamps: Option<Arc<QueryPool>>,
    started: Instant,
    builder: Option<Builder>,
    batch: u64,
    dispatches: u64,
    invocations: u64,
    commands: u64,
    done: u64,
    steps: u64,
    report: Report,
}

pub fn run(
    gpu: &VulkanDevice,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, DeviceError> {
    let mut run = Run::prepare(gpu, plan)?;
    let outcome = run.all(progress);
    match outcome {
        Ok(()) => {
            run.wipe()?;
            Ok(run.report)
        }
        // The process ends after these; its memory goes with it.
        Err(e @ (DeviceError::Lost(_) | DeviceError::Timeout(_))) => {
            std::mem::forget(run);
            Err(e)
        }
        Err(e) => {
            run.builder = None;
            run.wipe()?;
            Err(e)
        }
    }
}

impl<'a> Run<'a> {
    fn prepare(gpu: &'a VulkanDevice, plan: &'a Plan) -> Result<Self, DeviceError> {
        let mut programs = Vec::new();
        for program in &plan.programs {
            programs.push(pipeline::build(gpu, program)?);
        }
        let mut buffers = Vec::new();
        for b in &plan.buffers {
            buffers.push(memory::device(
                gpu,
                b.size,
                &format!("buffer {:?}", b.name),
            )?);
        }
        let stamps = match gpu.tick_ns {
            Some(_) => {
                let create = QueryPoolCreateInfo {
                    query_count: 2,
                    ..QueryPoolCreateInfo::query_type(QueryType::Timestamp)
                };
                Some(QueryPool::new(gpu.device.clone(), create).map_err(failed)?)
            }
            None => None,
        };
        Ok(Self {
            gpu,
            plan,
            buffers,
            programs,
            sets: BTreeMap::new(),
            status: memory::device(gpu, 16, "status")?,
            status_host: memory::download(gpu, 16)?,
            stamps,
            started: Instant::now(),
            builder: None,
            batch: 1,
            dispatches: 0,
            invocations: 0,
            commands: 0,
            done: 0,
            steps: plan.total_steps(),
            report: Report::default(),
        })
    }

    fn all(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), DeviceError> {
        self.fill_first()?;
        let mut checkpoints = self.plan.checkpoints.iter().peekable();
        for (i, step) in self.plan.steps.iter().enumerate() {
            match step {
                Step::Repeat {
                    times,
                    counter,
                    body,
                } => {
                    for iteration in 0..*times {
                        if let Some((buffer, offset)) = counter {
                            self.fill(*buffer, *offset, 4, iteration)?;
                        }
                        for step in body {
                            self.single(step, progress)?;
                        }
                    }
                }
                step => self.single(step, progress)?,
            }
            while let Some((_, buffers)) = checkpoints.next_if(|(after, _)| *after == i) {
                self.flush(progress, "checkpoint")?;
                let mut hashes = Vec::new();
                for b in buffers {
                    hashes.push(Hash::of(&self.read_back(*b)?));
                }
                self.report.checkpoints.push(hashes);
            }
        }
        self.flush(progress, "done")?;
        for b in &self.plan.outputs {
            let bytes = self.read_back(*b)?;
            self.report.outputs.push(bytes);
        }
        Ok(())
    }

    /// Zeros, then the blobs, then the budget.
    fn fill_first(&mut self) -> Result<(), DeviceError> {
        for (i, b) in self.plan.buffers.iter().enumerate() {
            let buffer = self.buffers[i].clone();
            self.builder()?
                .fill_buffer(buffer.clone(), 0)
                .map_err(refused)?;
            if let Init::Data(data) = &b.init {
                let from = memory::upload(self.gpu, data)?;
                self.builder()?
                    .copy_buffer(CopyBufferInfo::buffers(from, buffer))
                    .map_err(refused)?;
                // One staging buffer at a time.
                self.submit()?;
            }
        }
        let status = self.status.clone();
        let budget = self.plan.budget;
        let builder = self.builder()?;
        builder.fill_buffer(status.clone(), 0).map_err(refused)?;
        builder
            .fill_buffer(status.slice(1..2), budget)
            .map_err(refused)?;
        self.submit()
    }

    fn single(
        &mut self,
        step: &Step,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), DeviceError> {
        let plan = self.plan;
        match step {
            Step::Dispatch {
                program,
                groups,
                bindings,
            } => {
                let p = &plan.programs[*program];
                let count: u64 = groups
                    .iter()
                    .chain(&p.workgroup)
                    .map(|n| u64::from(*n))
                    .product();
                if self.dispatches >= self.batch {
                    self.flush(progress, &p.name)?;
                }
                self.dispatch(*program, *groups, bindings)?;
                self.dispatches += 1;
                self.invocations += count;
            }
            Step::Copy {
                src,
                src_offset,
                dst,
                dst_offset,
                size,
            } => {
                let words = |offset: u64| offset / 4..(offset + size) / 4;
                let from = self.buffers[*src].clone().slice(words(*src_offset));
                let to = self.buffers[*dst].clone().slice(words(*dst_offset));
                let copy = CopyBufferInfo::buffers(from, to);
                self.builder()?.copy_buffer(copy).map_err(refused)?;
            }
            Step::Fill {
                buffer,
                offset,
                size,
                value,
            } => self.fill(*buffer, *offset, *size, *value)?,
            Step::Repeat { .. } => {
                return Err(DeviceError::Other("a repeat inside a repeat".into()));
            }
        }
        self.done += 1;
        self.commands += 1;
        if self.commands >= BATCH_COMMANDS {
            self.flush(progress, "copies")?;
        }
        Ok(())
    }

    fn fill(
        &mut self,
        buffer: usize,
        offset: u64,
        size: u64,
        value: u32,
    ) -> Result<(), DeviceError> {
        let slice = self.buffers[buffer]
            .clone()
            .slice(offset / 4..(offset + size) / 4);
        self.builder()?.fill_buffer(slice, value).map_err(refused)?;
        Ok(())
    }

    fn dispatch(
        &mut self,
        program: usize,
        groups: [u32; 3],
        bindings: &[(u32, usize)],
    ) -> Result<(), DeviceError> {
        let key = (program, bindings.to_vec());
        let set = match self.sets.get(&key) {
            Some(set) => set.clone(),
            None => {
                let bound: Vec<(u32, Words)> = bindings
                    .iter()
                    .map(|(n, b)| (*n, self.buffers[*b].clone()))
                    .collect();
                let set = pipeline::bind(self.gpu, &self.programs[program], &bound, &self.status)?;
                self.sets.insert(key, set.clone());
                set
            }
        };
        let (pipeline, layout) = (
            self.programs[program].pipeline.clone(),
            self.programs[program].layout.clone(),
        );
        debug_assert!(Arc::ptr_eq(pipeline.layout(), &layout));
        let builder = self.builder()?;
        builder.bind_pipeline_compute(pipeline).map_err(refused)?;
        builder
            .bind_descriptor_sets(PipelineBindPoint::Compute, layout, 0, set)
            .map_err(refused)?;
        // SAFETY: the shader's accesses are clamped to its buffers, its loops are bounded, and the sets match the layout.
        unsafe { builder.dispatch(groups) }.map_err(refused)?;
        Ok(())
    }

    /// The command buffer being recorded, a new one when there is none.
    fn builder(&mut self) -> Result<&mut Builder, DeviceError> {
        if self.builder.is_none() {
            let mut builder = AutoCommandBufferBuilder::primary(
                self.gpu.commands.clone(),
                self.gpu.queue.queue_family_index(),
                CommandBufferUsage::OneTimeSubmit,
            )
            .map_err(failed)?;
            if let Some(pool) = &self.stamps {
                // SAFETY: no other command buffer is in flight, so the queries are free.
                unsafe { builder.reset_query_pool(pool.clone(), 0..2) }.map_err(refused)?;
                // SAFETY: query 0 was just reset and is written once.
                unsafe { builder.write_timestamp(pool.clone(), 0, PipelineStage::TopOfPipe) }
                    .map_err(refused)?;
            }
            self.builder = Some(builder);
        }
        self.builder
            .as_mut()
            .ok_or_else(|| DeviceError::Other("no command buffer".into()))
    }

    /// Submits what was recorded, waits, and looks whether the budget held.
    fn flush(
        &mut self,
        progress: &mut dyn FnMut(Progress),
        label: &str,
    ) -> Result<(), DeviceError> {
        if self.dispatches > 0 {
            let copy = CopyBufferInfo::buffers(self.status.clone(), self.status_host.clone());
            self.builder()?.copy_buffer(copy).map_err(refused)?;
            let before = Instant::now();
            self.submit()?;
            let took = before.elapsed();
            if took < SHORT {
                self.batch = (self.batch * 2).min(BATCH_DISPATCHES);
            } else if took > LONG {
                self.batch = (self.batch / 2).max(1);
            }
            let (dispatches, invocations) = (
                std::mem::take(&mut self.dispatches),
                std::mem::take(&mut self.invocations),
            );
            self.report.usage.dispatches += dispatches;
            self.report.usage.invocations += invocations;
            let (exhausted, open) = {
                let status = self.status_host.read().map_err(refused)?;
                (status[EXHAUSTED], status[OPEN_LOOPS])
            };
            if exhausted != 0 {
                return Err(DeviceError::BudgetExceeded {
                    budget: self.plan.budget,
                    step: self.done,
                });
            }
            if open != 0 {
                return Err(DeviceError::LoopTruncated { step: self.done });
            }
        } else {
            self.submit()?;
        }
        self.commands = 0;
        progress(Progress {
            step: self.done,
            steps: self.steps,
            label: label.into(),
        });
        Ok(())
    }

    /// Submits what was recorded, if anything, and waits for it.
    fn submit(&mut self) -> Result<(), DeviceError> {
        let Some(mut builder) = self.builder.take() else {
            return Ok(());
        };
        if let Some(pool) = &self.stamps {
            // SAFETY: query 1 was reset at the start of this command buffer and is written once.
            unsafe { builder.write_timestamp(pool.clone(), 1, PipelineStage::BottomOfPipe) }
                .map_err(refused)?;
        }
        let commands = builder.build().map_err(failed)?;
        let fence =
            Fence::new(self.gpu.device.clone(), FenceCreateInfo::default()).map_err(failed)?;
        let fence = Arc::new(fence);
        let submit = SubmitInfo {
            command_buffers: vec![CommandBufferSubmitInfo::new(commands.clone())],
            ..Default::default()
        };
        let submitted = self.gpu.queue.with(|mut queue| {
            // SAFETY: command buffer, fence and every resource they name outlive the wait below, or for ever when it
            // fails; nothing else is in flight on this device.
            unsafe { queue.submit(&[submit], Some(&fence)) }
        });
        submitted.map_err(failed)?;
        let limit = Duration::from_millis(self.plan.wall_ms);
        let left = limit
            .saturating_sub(self.started.elapsed())
            .max(Duration::from_millis(1));
        if let Err(e) = fence.wait(Some(left)) {
            // The device may still be at it.
            std::mem::forget((commands, fence));
            return Err(match e {
                VulkanError::Timeout => DeviceError::Timeout(self.plan.wall_ms),
                other => vulkan_failed(other),
            });
        }
        if let (Some(pool), Some(tick)) = (&self.stamps, self.gpu.tick_ns) {
            let mut ticks = [0u64; 2];
            let there = pool
                .get_results(0..2, &mut ticks, QueryResultFlags::empty())
                .map_err(failed)?;
            if there {
                self.report.usage.gpu_ns +=
                    (ticks[1].saturating_sub(ticks[0]) as f64 * tick) as u64;
            }
        }
        Ok(())
    }

    fn read_back(&mut self, buffer: usize) -> Result<Vec<u8>, DeviceError> {
        let host = memory::download(self.gpu, self.plan.buffers[buffer].size)?;
        let copy = CopyBufferInfo::buffers(self.buffers[buffer].clone(), host.clone());
        self.builder()?.copy_buffer(copy).map_err(refused)?;
        self.submit()?;
        memory::read(&host)
    }

    /// Leaves zeros behind.
    fn wipe(&mut self) -> Result<(), DeviceError> {
        for buffer in self.buffers.clone() {
            self.builder()?.fill_buffer(buffer, 0).map_err(refused)?;
        }
        self.started = Instant::now();
        self.submit()
    }
}
