import { kernelsOf } from '../../../src/engine/kernels/create';
import { describeKernels } from './contract';

describeKernels('wasm-simd', (precision) => kernelsOf('wasm-simd', precision));
describeKernels('wasm-relaxed-simd', (precision) => kernelsOf('wasm-relaxed-simd', precision));
