//! The figures as tables: medians over the blocks of a kind without the first, which warms caches up.

use super::ours::Figures;

/// One side's blocks of one kind.
struct Kind<'a>(Vec<&'a Figures>);

impl<'a> Kind<'a> {
    fn of(figures: &'a [Figures], workload: &str, checked: bool) -> Self {
        let same = |f: &&Figures| f.workload == workload && f.checked == checked;
        Self(figures.iter().filter(same).skip(1).collect())
    }

    fn median(&self, what: impl Fn(&Figures) -> f64) -> f64 {
        median(self.0.iter().map(|f| what(f)).collect())
    }

    /// Of each block how many times as long the other side took, which did it right after.
    fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(pairs.map(|(a, b)| b.total_ms() / a.total_ms()).collect())
    }

    fn row(&self) -> String {
        format!(
            "{:>9.1} {:>9.1} {:>9.1}",
            self.median(|f| f.finalize_ms),
            self.median(|f| f.commit_ms),
            self.median(Figures::total_ms)
        )
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        n if n % 2 == 0 => f64::midpoint(all[n / 2 - 1], all[n / 2]),
        n => all[n / 2],
    }
}

/// Milliseconds a block of both sides; `theirs` is empty when there is no peer.
pub fn blocks(ours: &[Figures], theirs: &[Figures]) {
    println!(
        "{:<16} {:<8} {:>6} {:>29} {:>29} {:>8}",
        "ms a block", "CheckTx", "blocks", "emberd", "wasmd v0.61.14", "ratio"
    );
    let columns = format!("{:>9} {:>9} {:>9}", "finalize", "commit", "total");
    println!("{:<16} {:<8} {:>6} {columns} {columns}", "", "first", "");
    for (workload, checked) in kinds(ours) {
        let (a, b) = (
            Kind::of(ours, &workload, checked),
            Kind::of(theirs, &workload, checked),
        );
        let checked = if checked { "yes" } else { "no" };
        print!("{workload:<16} {checked:<8} {:>6} {}", a.0.len(), a.row());
        if theirs.is_empty() {
            println!();
        } else {
            println!(" {} {:>7.1}x", b.row(), a.ratio(&b));
        }
    }
}

/// What else the same blocks say, of each transaction.
pub fn details(ours: &[Figures], theirs: &[Figures]) {
    println!("{:<44} {:>12} {:>12}", "", "emberd", "wasmd");
    let line = |name: &str, what: &dyn Fn(&[Figures]) -> f64| {
        let text = |side: &[Figures]| {
            let value = if side.is_empty() {
                f64::NAN
            } else {
                what(side)
            };
            if value.is_nan() {
                "-".into()
            } else {
                format!("{value:.0}")
            }
        };
        println!("{name:<44} {:>12} {:>12}", text(ours), text(theirs));
    };
    for (workload, checked) in kinds(ours) {
        if checked && Kind::of(ours, &workload, true).0[0].queries == 0 {
            line(&format!("{workload}: gas a transaction"), &|side| {
                Kind::of(side, &workload, true).median(|f| f.gas as f64 / f.txs as f64)
            });
            line(
                &format!("{workload}: CheckTx a second, in process"),
                &|side| {
                    Kind::of(side, &workload, true).median(|f| f.txs as f64 * 1_000.0 / f.check_ms)
                },
            );
        } else if checked {
            line(
                &format!("{workload}: smart queries a second meanwhile"),
                &|side| {
                    Kind::of(side, &workload, true)
                        .median(|f| f.queries as f64 * 1_000.0 / f.total_ms())
                },
            );
        }
    }
}

/// Where the time of our blocks goes. The signatures are what a block saves whose transactions were checked before.
pub fn shares(ours: &[Figures]) {
    println!(
        "{:<16} {:>12} {:>22} {:>9}",
        "emberd, ms", "signatures", "execution and hash", "disk"
    );
    for (workload, checked) in kinds(ours) {
        let (plain, known) = (
            Kind::of(ours, &workload, false),
            Kind::of(ours, &workload, true),
        );
        if checked || known.0.is_empty() {
            continue;
        }
        let executed = known.median(|f| f.finalize_ms);
        println!(
            "{workload:<16} {:>12.1} {executed:>22.1} {:>9.1}",
            plain.median(|f| f.finalize_ms) - executed,
            known.median(|f| f.commit_ms)
        );
    }
}

/// What is measured, in the order in which it came.
fn kinds(figures: &[Figures]) -> Vec<(String, bool)> {
    let mut kinds = Vec::new();
    for f in figures.iter().filter(|f| f.workload != "setup") {
        let kind = (f.workload.clone(), f.checked);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}
