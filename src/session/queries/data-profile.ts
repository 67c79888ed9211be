// What the dataset holds as it comes from its source, before the run changes it. It does not depend on the step, so it
// is computed once a run.
import type { DataProfile } from '../../protocol/data-profile';
import type { DataProfileResult } from '../../protocol/queries';
import { profileTask } from '../../data-profile/profile';
import { Random } from '../../engine/random';
import { DataTask } from '../data-task';
import type { TrainingSession } from '../session';
import { defineQuery } from './query';

const profiles = new WeakMap<TrainingSession, DataTask<DataProfile>>();

export const dataProfile = defineQuery({
  type: 'data_profile',
  resolve(session: TrainingSession): DataProfileResult {
    const { run } = session;
    let task = profiles.get(session);
    if (!task) {
      task = new DataTask(session, (source) => profileTask(source, { random: new Random(run.seed, 'profile'), run }));
      profiles.set(session, task);
    }
    task.advance();
    const { isDone, progress, error, result } = task;
    return { done: isDone, progress, error, profile: result };
  },
});
