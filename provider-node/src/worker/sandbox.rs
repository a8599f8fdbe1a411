//! What the child gives up before it reads a tenant's bytes.
//!
//! Two stages: [`before_driver`] (death with the parent, limits, landlock, capabilities) and [`after_driver`] (seccomp on
//! all threads, memory limit), because a driver opens devices and starts threads while it loads.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Address space of a worker whose device is a CPU: what lavapipe may allocate and the program itself.
const SOFTWARE_ADDRESS_SPACE: u64 = 16 << 30;
/// Largest file it may write.
const FILE_BYTES: u64 = 64 << 20;

/// Read by drivers and the loader.
const READABLE: [&str; 16] = [
    "/usr",
    "/lib",
    "/lib64",
    "/opt/amdgpu",
    "/proc",
    "/sys",
    "/etc/vulkan",
    "/etc/glvnd",
    "/etc/nvidia",
    "/etc/OpenCL",
    "/etc/drirc",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/dev/urandom",
    "/nix/store",
];

fn other(e: impl std::fmt::Display) -> io::Error {
    io::Error::other(e.to_string())
}

/// First stage. What it achieved, in words; a kernel without landlock is named and not fatal.
pub fn before_driver(scratch: &Path, readable: &[PathBuf]) -> io::Result<Vec<String>> {
    let mut done = Vec::new();
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    done.push("no_new_privs".into());
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, 256)?;
    limit(Resource::Fsize, FILE_BYTES)?;
    done.push("rlimits".into());
    done.push(landlock(scratch, readable)?.into());
    if drop_capabilities().is_ok() {
        done.push("no capabilities".into());
    }
    Ok(done)
}

/// Second stage. `software`: the device is a CPU, so nothing needs the kernel's GPU drivers.
pub fn after_driver(software: bool, done: &mut Vec<String>) -> io::Result<()> {
    if software {
        limit(Resource::As, SOFTWARE_ADDRESS_SPACE)?;
        done.push("address space".into());
    }
    let guarded = done.iter().any(|d| d == LANDLOCKED);
    for (rules, action) in [
        (
            denied(software && !guarded)?,
            SeccompAction::Errno(libc::EPERM as u32),
        ),
        // The C library then falls back to clone, whose flags a filter can read.
        (
            [(libc::SYS_clone3, vec![])].into(),
            SeccompAction::Errno(libc::ENOSYS as u32),
        ),
    ] {
        let arch = std::env::consts::ARCH.try_into().map_err(other)?;
        let filter =
            SeccompFilter::new(rules, SeccompAction::Allow, action, arch).map_err(other)?;
        let program: BpfProgram = filter.try_into().map_err(other)?;
        seccompiler::apply_filter_all_threads(&program).map_err(other)?;
    }
    done.push("seccomp".into());
    Ok(())
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    Ok(setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    )?)
}

const LANDLOCKED: &str = "landlock";

fn landlock(scratch: &Path, readable: &[PathBuf]) -> io::Result<&'static str> {
    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let devices = ["/dev/dri", "/dev/null", "/dev/zero", "/dev/kfd", "/dev/dxg"].map(PathBuf::from);
    let nvidia = std::fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path());
    let nvidia = nvidia.filter(|p| {
        p.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("nvidia"))
    });
    let devices = devices.into_iter().chain(nvidia);
    let device_access = read | AccessFs::WriteFile | AccessFs::IoctlDev;
    let readable = READABLE
        .iter()
        .map(PathBuf::from)
        .chain(readable.iter().cloned());
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|r| r.handle_access(AccessNet::from_all(abi)))
        .and_then(|r| r.scope(Scope::from_all(abi)))
        .and_then(|r| r.create())
        .and_then(|r| r.add_rules(path_beneath_rules(readable, read)))
        .and_then(|r| r.add_rules(path_beneath_rules(devices, device_access)))
        .and_then(|r| {
            r.add_rules(path_beneath_rules(
                [scratch],
                AccessFs::from_all(abi) & !AccessFs::Execute,
            ))
        })
        .and_then(|r| r.restrict_self())
        .map_err(other)?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => LANDLOCKED,
        RulesetStatus::PartiallyEnforced => "landlock (in part: the kernel is older)",
        RulesetStatus::NotEnforced => "no landlock: the kernel has none",
    })
}

fn drop_capabilities() -> io::Result<()> {
    use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
    let none = CapabilitySet::empty();
    Ok(set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?)
}

/// System calls that fail with EPERM. `no_writes`: also opening any file for writing.
fn denied(no_writes: bool) -> io::Result<BTreeMap<i64, Vec<SeccompRule>>> {
    let mut calls = vec![
        // The network, and any socket.
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        // Other programs and processes.
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
        libc::SYS_kcmp,
        libc::SYS_prlimit64,
        // The machine.
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_fsmount,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_sethostname,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_syslog,
        // Much kernel, little use.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_userfaultfd,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_open_by_handle_at,
        libc::SYS_name_to_handle_at,
        libc::SYS_personality,
    ];
    #[cfg(target_arch = "x86_64")]
    calls.extend([
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_iopl,
        libc::SYS_ioperm,
        libc::SYS_modify_ldt,
    ]);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls.into_iter().map(|c| (c, vec![])).collect();
    // Threads yes, processes no.
    rules.insert(
        libc::SYS_clone,
        vec![masked(0, libc::CLONE_THREAD as u64, 0)?],
    );
    // Typing into a terminal.
    rules.insert(
        libc::SYS_ioctl,
        vec![masked(1, u64::from(u32::MAX), libc::TIOCSTI)?],
    );
    if no_writes {
        let writes = |at| {
            let mode = libc::O_ACCMODE as u64;
            [
                (mode, libc::O_WRONLY),
                (mode, libc::O_RDWR),
                (libc::O_CREAT as u64, libc::O_CREAT),
            ]
            .into_iter()
            .map(|(mask, value)| masked(at, mask, value as u64))
            .collect::<io::Result<Vec<_>>>()
        };
        rules.insert(libc::SYS_openat, writes(2)?);
        for call in [
            libc::SYS_openat2,
            libc::SYS_unlinkat,
            libc::SYS_renameat2,
            libc::SYS_mkdirat,
            libc::SYS_truncate,
        ] {
            rules.insert(call, vec![]);
        }
        #[cfg(target_arch = "x86_64")]
        {
            rules.insert(libc::SYS_open, writes(1)?);
            for call in [
                libc::SYS_creat,
                libc::SYS_unlink,
                libc::SYS_rename,
                libc::SYS_mkdir,
                libc::SYS_rmdir,
            ] {
                rules.insert(call, vec![]);
            }
        }
    }
    Ok(rules)
}

/// The rule "argument `at` under `mask` is `value`".
fn masked(at: u8, mask: u64, value: u64) -> io::Result<SeccompRule> {
    let condition = SeccompCondition::new(
        at,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(mask),
        value,
    );
    SeccompRule::new(vec![condition.map_err(other)?]).map_err(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const INSIDE: &str = "EMBER_TEST_SANDBOX_SCRATCH";

    /// Runs [`inside`] in a process of its own, once with landlock as the kernel has it and once as if it had none.
    #[test]
    fn a_sandboxed_process_can_compute_and_little_else() {
        for landlocked in ["yes", "no"] {
            let scratch = tempfile::tempdir().unwrap();
            let out = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "worker::sandbox::tests::inside",
                    "--ignored",
                    "--nocapture",
                    "--test-threads=1",
                ])
                .env(INSIDE, scratch.path())
                .env("EMBER_TEST_LANDLOCKED", landlocked)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&out.stdout).into_owned()
                + &String::from_utf8_lossy(&out.stderr);
            assert!(
                out.status.success() && text.contains("1 passed"),
                "landlock {landlocked}: {text}"
            );
        }
    }

    #[test]
    #[ignore = "takes this process's rights away: a_sandboxed_process_can_compute_and_little_else runs it apart"]
    fn inside() {
        let scratch = PathBuf::from(std::env::var_os(INSIDE).unwrap());
        let mut done = before_driver(&scratch, &[]).unwrap();
        let landlocked = done.iter().any(|d| d == LANDLOCKED);
        if std::env::var("EMBER_TEST_LANDLOCKED").unwrap() == "no" {
            done.retain(|d| d != LANDLOCKED);
        }
        after_driver(true, &mut done).unwrap();
        let denied = |outcome: io::Result<()>, what: &str| {
            let kind = outcome.expect_err(what).kind();
            assert_eq!(kind, io::ErrorKind::PermissionDenied, "{what}");
        };
        denied(
            std::net::TcpStream::connect("127.0.0.1:1").map(drop),
            "connect",
        );
        denied(std::net::UdpSocket::bind("127.0.0.1:0").map(drop), "bind");
        denied(
            std::os::unix::net::UnixStream::pair().map(drop),
            "socketpair",
        );
        denied(Command::new("/bin/true").status().map(drop), "exec");
        let parent = rustix::process::getppid().unwrap();
        denied(
            rustix::process::test_kill_process(parent).map_err(Into::into),
            "kill",
        );
        denied(
            std::fs::write(scratch.with_extension("beside"), "x"),
            "writing beside the scratch folder",
        );
        if landlocked {
            denied(
                std::fs::read("/etc/passwd").map(drop),
                "reading /etc/passwd",
            );
            denied(
                std::fs::read(format!("/proc/{}/environ", parent.as_raw_nonzero())).map(drop),
                "the parent's environment",
            );
        } else {
            eprintln!("SKIP: no landlock here");
        }
        let scratch_write = std::fs::write(scratch.join("inside"), "x");
        if done.iter().any(|d| d == LANDLOCKED) {
            scratch_write.unwrap();
        } else {
            denied(scratch_write, "writing without landlock");
        }
        // What a driver that compiles needs.
        assert_eq!(std::thread::spawn(|| 6 * 7).join().unwrap(), 42);
        std::fs::read("/proc/cpuinfo").unwrap();
        assert_eq!(vec![1u8; 64 << 20].len(), 64 << 20);
    }
}
