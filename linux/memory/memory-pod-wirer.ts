// Wires pods between kernels in memory, with the requests and the errors of the real one (pod-wirer-contract.test.ts).
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { AddLink, Request } from '../kernel.ts';
import {
  findMistake,
  hostRequests,
  linkRequest,
  type PodWirer,
  type PodWiring,
  podRequests,
} from '../pod-wiring.ts';
import type { WiredPod } from '../pod-wiring.ts';
import type { MemoryKernel } from './memory-kernel.ts';
import type { MemoryNamespaces } from './memory-namespaces.ts';

export class MemoryPodWirer implements PodWirer {
  readonly #host: MemoryKernel;
  readonly #namespaces: MemoryNamespaces;

  constructor(host: MemoryKernel, namespaces: MemoryNamespaces) {
    this.#host = host;
    this.#namespaces = namespaces;
  }

  wire(spec: PodWiring): WiredPod | KernelError {
    const wrong = findMistake(spec);
    if (wrong !== undefined) return new KernelError('wire pod', spec.hostName, errnos.EINVAL, wrong);
    const pod = this.#namespaces.open(spec.netns);
    if (pod instanceof KernelError) return pod;
    const request = linkRequest(spec);
    const refused = this.#host.addPair(request, pod);
    if (refused !== undefined) return this.#explained(refused, spec, request);
    const error = this.#setUpPod(spec, pod) ?? first(this.#host, hostRequests(spec));
    if (error !== undefined) {
      this.#host.change({ type: 'deleteLink', device: spec.hostName });
      return error;
    }
    this.#host.sysctl.write(`net/ipv4/conf/${spec.hostName}/forwarding`, '1');
    this.#host.sysctl.write(`net/ipv6/conf/${spec.hostName}/accept_ra`, '0');
    this.#host.sysctl.write(`net/ipv4/conf/${spec.hostName}/rp_filter`, String(spec.rpFilter ?? 1));
    const hostIndex = this.#host.indexOf(spec.hostName);
    const podIndex = pod.indexOf(spec.podName);
    return { hostIndex, podIndex, hostMac: spec.hostMac, podMac: spec.podMac };
  }

  #setUpPod(spec: PodWiring, pod: MemoryKernel): KernelError | undefined {
    let error = first(pod, podRequests(spec, false));
    if (error?.errno === errnos.EACCES) {
      pod.sysctl.write(`net/ipv6/conf/${spec.podName}/disable_ipv6`, '0');
      error = first(pod, podRequests(spec, true));
    }
    if (error === undefined) return undefined;
    return new KernelError(error.operation, `${error.object} in ${spec.netns}`, error.errno, error.detail);
  }

  #explained(refused: KernelError, spec: PodWiring, request: AddLink): KernelError {
    const isOnHost = this.#host.indexOf(spec.hostName) > 0;
    const where = isOnHost
      ? `the host has a link ${request.name}`
      : `the pod's namespace has a link ${spec.podName}`;
    const detail = refused.errno === errnos.EEXIST ? `${where} already` : refused.detail;
    return new KernelError(refused.operation, `${refused.object} in ${spec.netns}`, refused.errno, detail);
  }

  async unwire(hostName: string): Promise<KernelError | undefined> {
    const error = this.#host.change({ type: 'deleteLink', device: hostName });
    return error && new KernelError(error.operation, error.object, error.errno);
  }

  async unwireGroup(group: number): Promise<KernelError | undefined> {
    return this.#host.change({ type: 'deleteLinkGroup', group });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** All of them; the first error, or undefined. */
function first(kernel: MemoryKernel, requests: readonly Request[]): KernelError | undefined {
  const results = requests.map((request) => kernel.change(request));
  return results.find((result) => result !== undefined);
}
