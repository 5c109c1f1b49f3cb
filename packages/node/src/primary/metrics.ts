import type { Primary } from '@carillon/primary';

/** The node's metrics in the text format of Prometheus; those of the cluster are told by the primary alone. */
export function createMetrics(primary: Primary): () => string {
  return () => {
    const office = primary.office();
    const lines = [
      gauge('carillon_is_primary', 'Whether this node is the primary', office === undefined ? 0 : 1),
    ];
    if (office !== undefined) {
      const { state } = office;
      lines.push(
        gauge('carillon_term', 'Term of the primary', office.session.term),
        gauge('carillon_scheduler_enabled', 'Whether the scheduler is switched on', state.enabled),
        gauge('carillon_events', 'Events in the schedule', state.events.size),
        gauge('carillon_active_jobs', 'Jobs that are not completed', state.jobs.size),
        gauge('carillon_deliveries_waiting', 'Web hooks and e-mails on their way', state.deliveries.size),
        gauge('carillon_workers', 'Workers known to the primary', state.servers.size),
      );
    }
    lines.push(
      gauge('process_resident_memory_bytes', 'Resident memory of the node', process.memoryUsage.rss()),
    );
    return lines.join('');
  };
}

function gauge(name: string, help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`;
}
