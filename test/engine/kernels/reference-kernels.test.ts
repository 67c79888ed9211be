import { ReferenceKernels } from '../../../src/engine/kernels/reference-kernels';
import { describeKernels } from './contract';

describeKernels('reference', (precision) => new ReferenceKernels(precision));
