"""The gateway of one worker: what stands between the sockets and Flask.

A client occupies a thread that answers only once its whole request is here, and only as long as the answer takes: heads
and bodies are read by granian and by the event loop, with deadlines and limits. What would have to wait for long is
answered more cheaply, and then refused at once. ``/healthz`` waits for nobody.

    limits        bytes that a request's body may have
    admission     expected waits -> take, take cheaply, refuse
    lanes         threads that answer, each group with its bounded queue
    bodies        chunks -> one body, within a deadline
    wsgi          granian's request -> Flask's answer
    streams       answers that go on as something happens
    compression   answers -> smaller answers, for those who ask
    entry         which of all that, for one request
    listener      granian, put together for this
"""
