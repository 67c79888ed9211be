import { ReferenceKernels } from '../../../src/engine/kernels/reference';
import { describeKernels } from './contract';

describeKernels('reference', (precision) => new ReferenceKernels(precision));
