"""What libzmq tells of connections, decoded."""

import zmq

from harness.transport.monitor import next_event


def test_a_connection_and_its_end_are_told_in_their_order() -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as here:
        monitor = here.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        endpoint = f"tcp://127.0.0.1:{here.bind_to_random_port('tcp://127.0.0.1')}"
        with context.socket(zmq.DEALER) as there:
            there.connect(endpoint)
            assert monitor.poll(30_000)
            assert next_event(monitor) == zmq.EVENT_HANDSHAKE_SUCCEEDED
        assert monitor.poll(30_000)
        assert next_event(monitor) == zmq.EVENT_DISCONNECTED
        here.disable_monitor()
        monitor.close(linger=0)
