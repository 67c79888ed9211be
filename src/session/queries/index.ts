// All queries. To add one, declare it in src/protocol/queries.ts, answer it in a file of this folder, and add a line to
// the table.
import type { Query, QueryResult, QueryType } from '../../protocol/queries';
import type { TrainingSession } from '../session';
import { attribution } from './attribution';
import { changedSince } from './changed-since';
import { checkEntry } from './check-entry';
import { checkMap } from './check-map';
import { dataProfile } from './data-profile';
import { dataRows } from './data-rows';
import { decisionSurface } from './decision-surface';
import { evaluate } from './evaluate';
import { filters } from './filters';
import { fork, forks } from './fork';
import { generateTokens } from './generate-tokens';
import { gradientCost } from './gradient-cost';
import { gradientHistograms } from './gradient-histograms';
import { jacobian } from './jacobian';
import { layerStats } from './layer-stats';
import { lossComparison } from './loss-comparison';
import { lrScan } from './lr-scan';
import { namedValues } from './named-values';
import { networkGraph } from './network-graph';
import { outputMap } from './output-map';
import { points } from './points';
import { predictions } from './predictions';
import type { QueryDefinition } from './query';
import { runQueryAnswer } from './run-query';
import { sequence } from './sequence';
import { stateNorms } from './state-norms';
import { stepGraph } from './step-graph';
import { tensor } from './tensor';
import { tensorBytes } from './tensor-bytes';
import { weightFile } from './weight-file';
import { weightHistory } from './weight-history';
import { whatIf } from './what-if';

export const queries: { readonly [Type in QueryType]: QueryDefinition<Type> } = {
  attribution,
  changed_since: changedSince,
  check_entry: checkEntry,
  check_map: checkMap,
  data_profile: dataProfile,
  data_rows: dataRows,
  decision_surface: decisionSurface,
  evaluate,
  filters,
  fork,
  forks,
  generate_tokens: generateTokens,
  gradient_cost: gradientCost,
  gradient_histograms: gradientHistograms,
  jacobian,
  layer_stats: layerStats,
  loss_comparison: lossComparison,
  lr_scan: lrScan,
  named_values: namedValues,
  network_graph: networkGraph,
  output_map: outputMap,
  points,
  predictions,
  run_query: runQueryAnswer,
  sequence,
  state_norms: stateNorms,
  step_graph: stepGraph,
  tensor,
  tensor_bytes: tensorBytes,
  weight_file: weightFile,
  weight_history: weightHistory,
  what_if: whatIf,
};

export function runQuery<Type extends QueryType>(session: TrainingSession, query: Query<Type>): QueryResult<Type> {
  const { type }: { readonly type: Type } = query;
  const definition: QueryDefinition<Type> = queries[type];
  return { query, position: session.position, value: definition.resolve(session, query) };
}
