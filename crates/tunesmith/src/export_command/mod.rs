//! `tunesmith export`: a job as a project for a workflow engine, whose tasks are containers of this program.

mod flyte;
mod project;
mod python;

use std::path::PathBuf;

use clap::Subcommand;
use steps::Plan;

use crate::jobs;
use crate::run_command::given;
use crate::step_kinds::ProgramKinds;

/// The flags of `export`.
#[derive(clap::Args, Debug)]
pub(crate) struct ExportFlags {
    #[command(subcommand)]
    engine: Engine,
}

#[derive(Subcommand, Debug)]
enum Engine {
    /// A Flyte 2 project: raw container tasks with the job's caching, resources and secrets, and a task that runs them
    Flyte(FlyteFlags),
}

/// The flags of `export flyte`.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct FlyteFlags {
    /// A job file, or a job inside the program
    pub(crate) job: String,

    /// Parameters and settings given otherwise than the job has them: NAME=VALUE, --NAME VALUE or STEP.SETTING=VALUE
    #[arg(value_name = "NAME=VALUE", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) rest: Vec<String>,

    /// Folder of the project, which must not be there yet or be empty
    #[arg(long, short, value_name = "DIR", required = true)]
    output: Option<PathBuf>,

    /// Image of this program (see Dockerfile) [default: tunesmith:VERSION]
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
}

/// Exports as the flags say.
///
/// # Errors
/// When the job cannot be used or the project not be written.
pub(crate) fn run(flags: &ExportFlags) -> anyhow::Result<()> {
    let Engine::Flyte(flags) = &flags.engine;
    let mut flags = flags.clone();
    let (job, rest) = (flags.job.clone(), std::mem::take(&mut flags.rest));
    let overrides = given(&["export", "flyte"], &job, &rest, &mut flags)?;
    let kinds = ProgramKinds::new()?;
    let plan = Plan::new(jobs::find(&job, &overrides)?, &kinds)?;
    let image = flags.image.unwrap_or_else(|| concat!("tunesmith:", env!("CARGO_PKG_VERSION")).to_owned());
    let output = flags.output.unwrap_or_default();
    let project = flyte::project(&plan, &kinds, &image)?;
    project.write(&output)?;
    println!("{}: {} steps; {}", output.display(), plan.steps().len(), project.advice(&output));
    Ok(())
}
